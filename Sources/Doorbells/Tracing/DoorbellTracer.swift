import BPF
import Glibc
import LinuxIO

/// Doorbell values without POST_WRITE and without the VMM: an eBPF program at a tracepoint of KVM stores them.
///
/// One for the process. The program is attached as long as a client uses it: without clients no VM of the host pays for
/// it, and nothing is left when the process ends, however it ends. Any thread.
public final class DoorbellTracer: Sendable {
  private struct State: ~Copyable {
    /// Pages that no client has; the one that was given back last is taken last.
    var free: [Int]
    /// How many pages belong to processes with the same lowest bits.
    var users: [Int: Int] = [:]
    var link: RawTracepointLink?
  }

  private let places: BPFMap
  private let program: BPFProgram
  private let memory: MemoryMapping
  /// Held by the kernel through the program and the mapping too; kept for tools that look for it.
  private let memoryMap: BPFMap
  private let state: Locked<State>

  /// Loads the program, and tries whether it works here. Takes some ms.
  ///
  /// - Parameter clients: pages at most, one for each client.
  /// - Throws: the reason, with what to do.
  public static func load(clients: Int) throws(DoorbellTracerError) -> DoorbellTracer {
    // Where runs can be preempted by each other, the kernel leaves the second out.
    guard unsafe access("/sys/kernel/realtime", F_OK) != 0 else { throw .realTimeKernel }
    let tracer = try make(clients: min(max(clients, 1), 4096))
    guard try tracer.knowsOwnProcess() else { throw .pidNamespace }
    return tracer
  }

  private static func make(clients: Int) throws(DoorbellTracerError) -> DoorbellTracer {
    do throws(BPFError) {
      let size = DoorbellProgram.filterSize + clients * TracedPage.byteCount
      let places = try BPFMap(
        hash: "nvmed_places", keySize: MemoryLayout<DoorbellProgram.Place>.size,
        valueSize: MemoryLayout<UInt64>.size, entries: clients)
      let memoryMap = try BPFMap(memory: "nvmed_slots", size: size)
      let instructions: [BPFInstruction]
      do throws(BPFAssembler.Failure) {
        instructions = try DoorbellProgram.instructions(
          places: places.descriptor.rawValue, memory: memoryMap.descriptor.rawValue, size: size)
      } catch { throw .program(.invalidArgument) }
      let program = try BPFProgram(rawTracepoint: "nvmed_doorbell", instructions)
      // Attached to be found here, and gone again.
      _ = try RawTracepointLink(program, to: DoorbellProgram.tracepoint)
      let memory = try memoryMap.mapMemory()
      return DoorbellTracer(places, program, memory, memoryMap, clients: clients)
    } catch { throw DoorbellTracerError(error) }
  }

  private init(
    _ places: consuming BPFMap, _ program: consuming BPFProgram, _ memory: consuming MemoryMapping,
    _ memoryMap: consuming BPFMap, clients: Int
  ) {
    self.places = places
    self.program = program
    self.memory = memory
    self.memoryMap = memoryMap
    state = Locked(State(free: Array((0..<clients).reversed()), link: nil))
  }

  /// Whether the program finds an entry of this process: its number is that of the first PID namespace then.
  private func knowsOwnProcess() throws(DoorbellTracerError) -> Bool {
    let address: UInt64 = 1 << 44
    let place = DoorbellProgram.Place(process: UInt32(bitPattern: getpid()), address: address)
    do throws(Errno) { try places.insert(place, 0) } catch { throw DoorbellTracerError(.map(error)) }
    setFilter(place.process, 1)
    defer {
      setFilter(place.process, 0)
      do throws(Errno) { try places.remove(place) } catch {}
    }
    // At kernel address 0 there is no value to be read.
    let outcome = try run(type: DoorbellProgram.write, length: 4, address: address, value: 0)
    return outcome == .unreadable
  }

  /// Runs the program in the calling thread as if a guest of this process had done this access.
  ///
  /// - Parameter value: the kernel address of the value.
  func run(type: UInt64, length: UInt64, address: UInt64, value: UInt64) throws(DoorbellTracerError)
    -> DoorbellProgram.Outcome?
  {
    do throws(BPFError) {
      return DoorbellProgram.Outcome(rawValue: try program.run(arguments: [type, length, address, value]))
    } catch { throw DoorbellTracerError(error) }
  }

  // MARK: Clients

  /// A page for a client; the program is attached for the first.
  ///
  /// - Parameter process: the client's process, as this process sees it.
  /// - Throws: `refused` where all pages are in use; what attaching throws.
  public func makePage(process: pid_t) throws(DoorbellTracerError) -> TracedPage {
    let number = UInt32(bitPattern: process)
    let index = try state.withLock { state throws(DoorbellTracerError) in
      guard let index = state.free.popLast() else { throw .refused(.map(.noSpace)) }
      if state.link == nil {
        do throws(BPFError) { state.link = try RawTracepointLink(program, to: DoorbellProgram.tracepoint) } catch {
          state.free.append(index)
          throw DoorbellTracerError(error)
        }
      }
      state.users[filterIndex(number), default: 0] += 1
      setFilter(number, 1)
      return index
    }
    return TracedPage(self, index: index, process: number)
  }

  /// Takes a page back that no entry leads to; the program is detached after the last.
  func giveBack(_ index: Int, process: UInt32) {
    // A run that has found the entry before it was removed may store a little later: not into the next client's page.
    BPFProgram.awaitRuns()
    unsafe base(ofPage: index).initializeMemory(
      as: UInt8.self, repeating: 0, count: TracedPage.byteCount)
    state.withLock { state in
      state.free.insert(index, at: 0)
      let place = filterIndex(process)
      state.users[place] = state.users[place].flatMap { $0 > 1 ? $0 - 1 : nil }
      if state.users[place] == nil { setFilter(process, 0) }
      if state.users.isEmpty { state.link = nil }
    }
  }

  /// The first byte of a page.
  func base(ofPage index: Int) -> UnsafeMutableRawPointer { unsafe memory.base + TracedPage.offset(index) }

  func insert(_ place: DoorbellProgram.Place, page index: Int) throws(Errno) {
    try places.insert(place, UInt64(TracedPage.offset(index)))
  }

  private func filterIndex(_ process: UInt32) -> Int { Int(process) % DoorbellProgram.filterSize }

  /// Lets writes of a process, and of those that share its lowest bits, pass the filter (1) or not (0).
  private func setFilter(_ process: UInt32, _ value: UInt8) {
    unsafe memory.base.storeBytes(of: value, toByteOffset: filterIndex(process), as: UInt8.self)
  }

  func remove(_ place: DoorbellProgram.Place) throws(Errno) { try places.remove(place) }

  // MARK: What is there

  /// Whether the program is attached.
  public var isAttached: Bool { state.withLock { $0.link != nil } }

  /// Whether no client's doorbells are at an address that is known.
  public var hasNoPlaces: Bool { places.isEmpty() }
}
