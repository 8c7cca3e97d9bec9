/* python.exe, and without a console pythonw.exe: what the official ones do. */
#include <windows.h>

int Py_Main(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) { return Py_Main(argc, argv); }
