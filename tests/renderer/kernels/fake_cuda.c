/* A CUDA driver with one GPU of the architecture FAKE_CUDA_ARCHITECTURE. It writes the program that it is asked to load to
   the file FAKE_CUDA_PROGRAM and ends the process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };

int cuInit(void) { return 0; }
int cuDriverGetVersion(int *version) { *version = 12000; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device) { *device = 0; return 0; }
int cuDeviceGetName(char *name, int size) { return snprintf(name, size, "Fake GPU") < 0; }
int cuDevicePrimaryCtxGetState(void) { return 0; }
int cuDevicePrimaryCtxSetFlags(void) { return 0; }
int cuDevicePrimaryCtxRetain(void **context) { *context = &cuInit; return 0; }
int cuCtxPushCurrent_v2(void) { return 0; }
int cuCtxPopCurrent_v2(void) { return 0; }
int cuStreamCreate(void) { return 0; }

int cuDeviceGetAttribute(int *value, int attribute) {
  int architecture = atoi(getenv("FAKE_CUDA_ARCHITECTURE"));
  *value = 1;
  if (attribute == CAPABILITY_MAJOR) *value = architecture / 10;
  if (attribute == CAPABILITY_MINOR) *value = architecture % 10;
  return 0;
}

int cuModuleLoadData(void **module, const char *program) {
  const unsigned long long *headers = (const void *)(program + 32); /* e_phoff: ptxas writes these 56 bytes each last */
  int is_elf = !memcmp(program, "\177ELF", 4);
  size_t size = is_elf ? *headers + 56 * *(const unsigned short *)(program + 56) : strlen(program);
  FILE *file = fopen(getenv("FAKE_CUDA_PROGRAM"), "wb");
  fwrite(program, 1, size, file);
  fclose(file);
  _exit(0);
}
