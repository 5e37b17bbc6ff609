#ifndef CLINUX_KVM_H
#define CLINUX_KVM_H

#if defined(__x86_64__)

#include <linux/kvm.h>
#include <stdint.h>

/* ioctl(2) requests of /dev/kvm, of a VM and of a vCPU: macros that Swift cannot evaluate. */
static const unsigned long CLINUX_KVM_GET_API_VERSION = KVM_GET_API_VERSION;
static const unsigned long CLINUX_KVM_CREATE_VM = KVM_CREATE_VM;
static const unsigned long CLINUX_KVM_CHECK_EXTENSION = KVM_CHECK_EXTENSION;
static const unsigned long CLINUX_KVM_GET_VCPU_MMAP_SIZE = KVM_GET_VCPU_MMAP_SIZE;
static const unsigned long CLINUX_KVM_SET_TSS_ADDR = KVM_SET_TSS_ADDR;
static const unsigned long CLINUX_KVM_GET_SUPPORTED_CPUID = KVM_GET_SUPPORTED_CPUID;
static const unsigned long CLINUX_KVM_CREATE_IRQCHIP = KVM_CREATE_IRQCHIP;
static const unsigned long CLINUX_KVM_CREATE_PIT2 = KVM_CREATE_PIT2;
static const unsigned long CLINUX_KVM_IRQ_LINE = KVM_IRQ_LINE;
static const unsigned long CLINUX_KVM_SET_USER_MEMORY_REGION = KVM_SET_USER_MEMORY_REGION;
static const unsigned long CLINUX_KVM_SET_GSI_ROUTING = KVM_SET_GSI_ROUTING;
static const unsigned long CLINUX_KVM_ENABLE_CAP = KVM_ENABLE_CAP;
static const unsigned long CLINUX_KVM_REGISTER_COALESCED_MMIO = KVM_REGISTER_COALESCED_MMIO;
static const unsigned long CLINUX_KVM_IRQFD = KVM_IRQFD;
static const unsigned long CLINUX_KVM_IOEVENTFD = KVM_IOEVENTFD;
static const unsigned long CLINUX_KVM_CREATE_VCPU = KVM_CREATE_VCPU;
static const unsigned long CLINUX_KVM_RUN = KVM_RUN;
static const unsigned long CLINUX_KVM_SET_CPUID2 = KVM_SET_CPUID2;
static const unsigned long CLINUX_KVM_SET_TSC_KHZ = KVM_SET_TSC_KHZ;
static const unsigned long CLINUX_KVM_GET_REGS = KVM_GET_REGS;
static const unsigned long CLINUX_KVM_SET_REGS = KVM_SET_REGS;
static const unsigned long CLINUX_KVM_GET_SREGS = KVM_GET_SREGS;
static const unsigned long CLINUX_KVM_SET_SREGS = KVM_SET_SREGS;

/* Flags of KVM_IOEVENTFD; the last is in no released header. */
enum {
  CLINUX_KVM_IOEVENTFD_FLAG_DATAMATCH = 1 << 0,
  CLINUX_KVM_IOEVENTFD_FLAG_PIO = 1 << 1,
  CLINUX_KVM_IOEVENTFD_FLAG_DEASSIGN = 1 << 2,
  CLINUX_KVM_IOEVENTFD_FLAG_POST_WRITE = 1 << 5,
};

/*
 * struct kvm_ioeventfd as the POST_WRITE patch extends it: the value written is copied to post_addr, an address of the
 * VMM, before the eventfd is signalled. Same size and request number as before.
 */
struct clinux_kvm_ioeventfd {
  uint64_t datamatch;
  uint64_t addr;
  uint32_t len;
  int32_t fd;
  uint32_t flags;
  uint32_t hole;
  uint64_t post_addr;
  uint8_t pad[24];
};

/* ioctl(2) with a number as its argument, which may not fit into an int. */
int clinux_kvm_ioctl_value(int fd, unsigned long request, unsigned long argument);

/*
 * What interrupts KVM_RUN: SIGUSR1, whose handler does nothing. Installs the handler where the signal has its default
 * action, and unblocks the signal in the calling thread; 0 or -1 with errno.
 */
int clinux_kvm_accept_kicks(void);
/* The signal of clinux_kvm_accept_kicks. */
int clinux_kvm_kick_signal(void);

#endif

#endif
