import Glibc
import LinuxIO
import NVMeSpec
import Testing

@testable import Storage

@Suite struct StorageStatusTests {
  /// SCT, SC and DNR of one row: read, write, flush, deallocate.
  struct Row: CustomTestStringConvertible {
    let errors: [Int32]
    /// SCT in the high byte, SC in the low one, 0x8000 for Do Not Retry.
    let codes: [UInt16]

    var testDescription: String { errors.map { Errno(rawValue: $0).description }.joined(separator: ", ") }
  }

  static let medium = [
    EIO, ENODATA, EILSEQ, EBADMSG, EREMOTEIO, ETIMEDOUT, ETIME, ENOLINK, ENXIO, ENODEV, ENOMEDIUM, EUCLEAN,
  ]

  static let rows = [
    Row(errors: medium, codes: [0x281, 0x280, 0x280, 0x280]),
    Row(errors: [ENOSPC, EDQUOT, EFBIG], codes: [0x006, 0x8081, 0x280, 0x006]),
    Row(errors: [EROFS, EPERM, EACCES, ETXTBSY], codes: [0x8006, 0x8020, 0x8020, 0x8020]),
    Row(errors: [EFAULT], codes: [0x8004, 0x8004, 0x8004, 0x8004]),
    Row(errors: [EOPNOTSUPP], codes: [0x8006, 0x8006, 0x8006, 0x000]),
    Row(errors: [EINVAL, EBADF, ENOSYS, EOVERFLOW], codes: [0x8006, 0x8006, 0x8006, 0x8006]),
    Row(errors: [EBADE], codes: [0x8083, 0x8083, 0x8083, 0x8083]),
    Row(errors: [ECANCELED], codes: [0x007, 0x007, 0x007, 0x007]),
    Row(errors: [ENOMEM, EAGAIN, ESTALE, EBUSY, 4095], codes: [0x006, 0x006, 0x006, 0x006]),
  ]

  @Test(arguments: rows) func eachErrorHasItsStatus(_ row: Row) {
    for error in row.errors {
      for (action, code) in zip([StorageAction.read, .write, .flush, .deallocate], row.codes) {
        let status = Status(Errno(rawValue: error), during: action)
        #expect(UInt16(status.statusCodeType.rawValue) << 8 | UInt16(status.statusCode) == code & 0x7fff)
        #expect(status.doNotRetry == (code & 0x8000 != 0))
      }
    }
  }
}
