import ArgumentParser
import KVM
import MicroVMM

/// The option `--doorbells`: the paths of doorbells as words of the command line.
enum DoorbellsOption: String, CaseIterable, ExpressibleByArgument {
  case auto
  case postWrite = "post-write"
  case ioeventfd
  case software
  case message
  case posted

  static let help: ArgumentHelp = """
    How doorbells reach the server: post-write (KVM stores the value and signals), ioeventfd (KVM signals; the server \
    has an eBPF program store the value, or finds it in the guest's memory), software (the VMM stores and signals), \
    message (REGION_WRITE with reply), posted (without reply); auto: post-write where KVM has it, else ioeventfd where \
    the server offers it, else message.
    """

  /// The path.
  var path: DoorbellPath {
    switch self {
    case .auto: DoorbellPath.automatic(PostWriteSupport.probe())
    case .postWrite: .postWrite
    case .ioeventfd: .ioeventfd
    case .software: .softwarePost
    case .message: .messageWithReply
    case .posted: .postedMessage
    }
  }
}
