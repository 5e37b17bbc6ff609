import Glibc
import LinuxIO

// Messages as bytes, put together here and not by the code under test.

/// Numbers of 16 bits as they are on the wire.
func u16(_ numbers: UInt16...) -> [UInt8] { numbers.flatMap { littleEndian(UInt64($0), 2) } }

/// Numbers of 32 bits as they are on the wire.
func u32(_ numbers: UInt32...) -> [UInt8] { numbers.flatMap { littleEndian(UInt64($0), 4) } }

/// Numbers of 64 bits as they are on the wire.
func u64(_ numbers: UInt64...) -> [UInt8] { numbers.flatMap { littleEndian($0, 8) } }

private func littleEndian(_ number: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
}

/// The numbers of the commands, as the specification has them.
enum Number {
  static let version: UInt16 = 1
  static let dmaMap: UInt16 = 2
  static let dmaUnmap: UInt16 = 3
  static let getInfo: UInt16 = 4
  static let getRegionInfo: UInt16 = 5
  static let getRegionIOFDs: UInt16 = 6
  static let getIRQInfo: UInt16 = 7
  static let setIRQs: UInt16 = 8
  static let regionRead: UInt16 = 9
  static let regionWrite: UInt16 = 10
  static let reset: UInt16 = 13
  static let writeMulti: UInt16 = 15
  static let feature: UInt16 = 16
}

/// The flag of a command whose sender reads no reply.
let noReply: UInt32 = 0x10

/// A command.
func command(
  _ number: UInt16, id: UInt16 = 1, flags: UInt32 = 0, size: UInt32? = nil, _ payload: [UInt8] = []
) -> [UInt8] {
  u16(id, number) + u32(size ?? UInt32(16 + payload.count), flags, 0) + payload
}

/// The reply that says that a command was carried out.
func reply(_ number: UInt16, id: UInt16 = 1, _ payload: [UInt8] = []) -> [UInt8] {
  u16(id, number) + u32(UInt32(16 + payload.count), 1, 0) + payload
}

/// The reply that says that a command was not carried out.
func refusal(_ number: UInt16, id: UInt16 = 1, _ error: Int32) -> [UInt8] {
  u16(id, number) + u32(16, 0x21, UInt32(error))
}

/// The payload of VERSION with a JSON text.
func version(_ json: String?, major: UInt16 = 0, minor: UInt16 = 0) -> [UInt8] {
  u16(major, minor) + (json.map { Array($0.utf8) + [0] } ?? [])
}

/// What QEMU 11.1.3 says about itself, as captured.
let qemuJSON =
  "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535,"
  + " \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": 4096},"
  + " \"write_multiple\": true}}"

/// What the server says about itself.
let serverJSON =
  "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"max_dma_maps\":16384,\"pgsizes\":4096,"
  + "\"write_multiple\":true}}"

/// The payload of DMA_MAP.
func dmaMap(_ iova: UInt64, _ size: UInt64, offset: UInt64 = 0, flags: UInt32 = 3) -> [UInt8] {
  u32(32, flags) + u64(offset, iova, size)
}

/// The payload of DMA_UNMAP, and of its reply.
func dmaUnmap(_ iova: UInt64, _ size: UInt64, flags: UInt32 = 0) -> [UInt8] { u32(24, flags) + u64(iova, size) }

/// The payload of a region read, of the reply to a region write, and what precedes the data of the other two.
func access(_ region: UInt32, _ offset: UInt64, _ count: Int) -> [UInt8] {
  u64(offset) + u32(region, UInt32(count))
}

/// The payload of DEVICE_GET_REGION_INFO, and of the reply for a region without capabilities.
func regionInfo(_ index: UInt32, argsz: UInt32 = 32, flags: UInt32 = 0, size: UInt64 = 0) -> [UInt8] {
  u32(argsz, flags, index, 0) + u64(size, 0)
}

/// The payload of DEVICE_GET_IRQ_INFO, and of its reply.
func irqInfo(_ index: UInt32, argsz: UInt32 = 16, flags: UInt32 = 0, count: UInt32 = 0) -> [UInt8] {
  u32(argsz, flags, index, count)
}

/// The payload of DEVICE_SET_IRQS.
func setIRQs(_ index: UInt32, _ flags: UInt32, start: UInt32 = 0, count: UInt32, _ data: [UInt8] = []) -> [UInt8] {
  u32(UInt32(20 + data.count), flags, index, start, count) + data
}

/// The flags of DEVICE_SET_IRQS.
enum IRQ {
  static let none: UInt32 = 1
  static let bool: UInt32 = 2
  static let eventfd: UInt32 = 4
  static let mask: UInt32 = 8
  static let unmask: UInt32 = 16
  static let trigger: UInt32 = 32

  static let intx: UInt32 = 0
  static let msi: UInt32 = 1
  static let msix: UInt32 = 2
  static let error: UInt32 = 3
  static let request: UInt32 = 4
}

/// The regions.
enum Region {
  static let bar0: UInt32 = 0
  static let bar4: UInt32 = 4
  static let rom: UInt32 = 6
  static let config: UInt32 = 7
  static let vga: UInt32 = 8
}
