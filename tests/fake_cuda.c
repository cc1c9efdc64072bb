/* A CUDA driver without a GPU, for Cycles 4.5 and for `synth_renderer.kernels.gpus`: every call succeeds and computes
 * nothing, so pictures are black.
 *
 * FAKE_CUDA_NAME and FAKE_CUDA_CAPABILITY (`90`) are those of the one GPU. The file FAKE_CUDA_ERRORS names calls that
 * fail, one a line: `cuModuleLoadData 200`. While the file FAKE_CUDA_HOLD exists, cuModuleLoadData does not return, as
 * while a driver compiles; it creates FAKE_CUDA_HOLD.reached. With FAKE_CUDA_PROGRAM it writes the program that it is
 * asked to load to that file, and ends the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long Address;

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

static int answer(const char *call) {
  FILE *file = fopen(setting("FAKE_CUDA_ERRORS", ""), "r");
  char name[64];
  int code, found = 0;
  while (file && fscanf(file, "%63s %d", name, &code) == 2)
    if (!strcmp(name, call)) found = code;
  if (file) fclose(file);
  return found;
}

int cuInit(unsigned flags) { return answer(__func__); }
int cuDriverGetVersion(int *version) { *version = 12080; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return answer(__func__); }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
  snprintf(name, size, "%s", setting("FAKE_CUDA_NAME", "NVIDIA H200"));
  return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  int capability = atoi(setting("FAKE_CUDA_CAPABILITY", "90"));
  switch (attribute) {
    case 75: *value = capability / 10; break;
    case 76: *value = capability % 10; break;
    case 16: *value = 132; break;  /* multiprocessors */
    case 39: *value = 2048; break; /* threads of a multiprocessor */
    case 51: *value = 32; break;   /* alignment of a texture's pitch */
    case 19: case 33: case 50: *value = 0; break;
    default: *value = 1;
  }
  return 0;
}
int cuDeviceGetUuid(char *uuid, int device) { memset(uuid, 0, 16); return 0; }
int cuDeviceGetPCIBusId(char *id, int size, int device) { snprintf(id, size, "0000:00:00.0"); return 0; }
int cuDeviceCanAccessPeer(int *can, int one, int other) { *can = 0; return 0; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { *flags = *active = 0; return 0; }
int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return 0; }
int cuDevicePrimaryCtxSetFlags(int device, unsigned flags) { return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)1; return answer(__func__); }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuDevicePrimaryCtxRelease(int device) { return 0; }
int cuCtxPushCurrent_v2(void *context) { return 0; }
int cuCtxPopCurrent_v2(void **context) { return 0; }
int cuCtxSynchronize(void) { return answer(__func__); }
static void keep_program(const char *path, const char *program) {
  const unsigned long long *headers = (const void *)(program + 32); /* e_phoff: ptxas writes these 56 bytes each last */
  int is_elf = !memcmp(program, "\177ELF", 4);
  size_t size = is_elf ? *headers + 56 * *(const unsigned short *)(program + 56) : strlen(program);
  FILE *file = fopen(path, "wb");
  fwrite(program, 1, size, file);
  fclose(file);
  _exit(0);
}

int cuModuleLoadData(void **module, const void *image) {
  const char *kept = getenv("FAKE_CUDA_PROGRAM");
  if (kept) keep_program(kept, image);
  const char *hold = setting("FAKE_CUDA_HOLD", "");
  if (!access(hold, F_OK)) {
    char reached[4096];
    snprintf(reached, sizeof reached, "%s.reached", hold);
    fclose(fopen(reached, "w"));
  }
  while (!access(hold, F_OK)) usleep(1000);
  *module = (void *)2;
  return answer(__func__);
}
int cuModuleUnload(void *module) { return 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) { *function = (void *)3; return 0; }
int cuModuleGetGlobal_v2(Address *address, size_t *size, void *module, const char *name) {
  static char globals[1 << 16];
  *address = (Address)globals;
  *size = sizeof globals;
  return 0;
}
int cuFuncSetCacheConfig(void *function, int preference) { return 0; }
int cuFuncGetAttribute(int *value, int attribute, void *function) { *value = 256; return 0; }
int cuOccupancyMaxPotentialBlockSize(int *blocks, int *threads, void *function, void *memory, size_t size, int limit) {
  *blocks = 1;
  *threads = 256;
  return 0;
}
int cuMemGetInfo_v2(size_t *available, size_t *total) { *available = *total = (size_t)8 << 30; return 0; }
int cuMemAlloc_v2(Address *address, size_t size) {
  *address = (Address)calloc(1, size + 256);
  return answer(__func__);
}
int cuMemFree_v2(Address address) { free((void *)address); return 0; }
int cuMemHostAlloc(void **memory, size_t size, unsigned flags) { *memory = calloc(1, size); return 0; }
int cuMemFreeHost(void *memory) { free(memory); return 0; }
int cuMemHostGetDevicePointer_v2(Address *address, void *memory, unsigned flags) { *address = (Address)memory; return 0; }
int cuMemcpyHtoD_v2(Address to, const void *from, size_t size) { return 0; }
int cuMemcpyDtoH_v2(void *to, Address from, size_t size) { memset(to, 0, size); return 0; }
int cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t size, void *stream) { return 0; }
int cuMemcpyDtoHAsync_v2(void *to, Address from, size_t size, void *stream) { memset(to, 0, size); return answer(__func__); }
int cuMemsetD8_v2(Address to, unsigned char value, size_t size) { return 0; }
int cuMemsetD8Async(Address to, unsigned char value, size_t size, void *stream) { return 0; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = (void *)4; return 0; }
int cuStreamDestroy_v2(void *stream) { return 0; }
int cuStreamSynchronize(void *stream) { return answer(__func__); }
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **parameters, void **extra) {
  return answer(__func__);
}

/* NVML */
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *version, unsigned size) { snprintf(version, size, "580.159.03"); return 0; }
