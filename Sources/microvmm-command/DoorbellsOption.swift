import ArgumentParser
import KVM
import MicroVMM

/// The option `--doorbells`: the paths of doorbells as words of the command line.
enum DoorbellsOption: String, CaseIterable, ExpressibleByArgument {
  case auto
  case postWrite = "post-write"
  case ebpf
  case software
  case message
  case posted

  static let help: ArgumentHelp = """
    How doorbells reach the server: post-write (KVM stores the value and signals), ebpf (KVM signals, \
    an eBPF program of the server stores), software (the VMM does), message \
    (REGION_WRITE with reply), posted (without reply); auto: post-write where KVM has it, else message.
    """

  /// The path.
  var path: DoorbellPath {
    switch self {
    case .auto: DoorbellPath.automatic(PostWriteSupport.probe())
    case .postWrite: .postWrite
    case .ebpf: .ebpf
    case .software: .softwarePost
    case .message: .messageWithReply
    case .posted: .postedMessage
    }
  }
}
