/* python3.dll: passes everything on to python311.dll, by the list of exports that it is linked with. */
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) { return TRUE; }
