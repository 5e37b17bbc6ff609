import CLinux
import Glibc
import LinuxIO
import Testing

@testable import Storage

@Suite struct DirectAlignmentTests {
  @Test(.enabled(if: directIOWorks, "no direct I/O where the tests put their files"))
  func probingFindsWhatWorks() throws {
    let file = try TestImage(size: 64 * 1024)
    let direct = try FileDescriptor(path: file.path, flags: O_RDONLY | Int32(CLINUX_O_DIRECT))
    let asked = try #require(DirectAlignment.of(fd: direct.rawValue, isBlockDevice: false, size: 65536))
    let probed = try #require(DirectAlignment.probe(fd: direct.rawValue, size: 65536))
    #expect(probed.offset == max(512, asked.offset))
    #expect(probed.memory % asked.memory == 0)
  }

  @Test(.enabled(if: loopDevicesWork, "loop devices need root and the loop driver"), arguments: [UInt32(512), 4096])
  func probingAndAskingAgreeOnADevice(_ sector: UInt32) throws {
    let file = try TestImage(size: 1 << 20)
    try LoopDevice.use(over: file.fd, blockSize: sector) { path in
      let direct = try FileDescriptor(path: path, flags: O_RDONLY | Int32(CLINUX_O_DIRECT))
      #expect(DirectAlignment.sectorSize(fd: direct.rawValue) == Int(sector))
      #expect(DirectAlignment.probe(fd: direct.rawValue, size: 1 << 20)?.offset == Int(sector))
      #expect(DirectAlignment.of(fd: direct.rawValue, isBlockDevice: true, size: 1 << 20)?.offset == Int(sector))
    }
  }

  @Test func probingWhatCannotBeReadFindsNothing() throws {
    let null = try FileDescriptor(path: "/dev/null", flags: O_WRONLY)
    #expect(DirectAlignment.probe(fd: null.rawValue, size: 4096) == nil)
    #expect(DirectAlignment.sectorSize(fd: null.rawValue) == nil)
  }

  @Test func blocksMustFitTheAlignment() {
    func problem(_ size: LogicalBlockSize, memory: Int, offset: Int) -> ImageError.Reason? {
      ImageOpening.problem(size, on: DirectAlignment(memory: memory, offset: offset))
    }
    #expect(problem(.bytes512, memory: 4, offset: 512) == nil)
    #expect(problem(.bytes512, memory: 4096, offset: 512) == nil)
    #expect(problem(.bytes4096, memory: 4, offset: 512) == nil)
    #expect(problem(.bytes4096, memory: 4096, offset: 4096) == nil)
    #expect(problem(.bytes512, memory: 4, offset: 4096) == .blockSizeTooSmall(.bytes512, required: 4096))
    #expect(problem(.bytes4096, memory: 4, offset: 16384) == .blockSizeTooSmall(.bytes4096, required: 16384))
    #expect(problem(.bytes4096, memory: 65536, offset: 512) == .blockSizeTooSmall(.bytes4096, required: 65536))
  }
}
