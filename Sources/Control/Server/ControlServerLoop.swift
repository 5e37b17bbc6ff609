import Glibc
import LinuxIO
import Logging

/// The work of a server's thread.
final class ControlServerLoop {
  /// What wakes it; greater numbers are clients.
  enum Source: UInt64 {
    case listener
    case stop
    case finished
  }

  private let resources: ControlServerResources
  private let methods: MethodTable
  private let policy: PeerPolicy
  private let limits: ControlServer.Limits
  private let logger: Logger
  /// Whether requests that may take long are done where they are taken: for who has no other thread.
  private let isInline: Bool
  private var events = EpollEvents()
  private var connections: [UInt64: ControlConnection] = [:]
  private var calls: [UInt64: Thread] = [:]
  private var nextNumber = Source.finished.rawValue + 1
  private var isStopping = false
  /// Clients that were dropped as they did not read their replies.
  private(set) var droppedCount = 0
  /// The user who was refused last: one line of the log is enough.
  private var refusedUser: uid_t?

  init(
    _ resources: consuming ControlServerResources, methods: MethodTable, policy: PeerPolicy,
    limits: ControlServer.Limits, logger: Logger, isInline: Bool = false
  ) {
    self.isInline = isInline
    self.resources = resources
    self.methods = methods
    self.policy = policy
    self.limits = limits
    self.logger = logger
  }

  func run() {
    while !isStopping { _ = turn(timeout: -1) }
    for call in calls.values { call.join() }
    calls = [:]
    finish()
  }

  /// Waits for events, and takes them.
  ///
  /// - Parameter timeout: ms; 0: takes what is there; -1: until there is one.
  /// - Returns: whether there were any.
  func turn(timeout: Int32) -> Bool {
    resources.epoll.wait(timeout: timeout, into: &events)
    for index in 0..<events.count {
      let event = events[index]
      switch Source(rawValue: event.token) {
      case .listener: accept()
      case .stop: isStopping = true
      case .finished: finish()
      case nil: serve(event.token, event.events)
      }
    }
    return events.count > 0
  }

  // MARK: Clients

  /// How many there are.
  var clientCount: Int { connections.count }

  private func accept() {
    while true {
      do throws(Errno) {
        guard let socket = try resources.listener.accept() else { return }
        admit(socket)
      } catch {
        logger.error("a control client cannot be accepted: \(error)")
        return
      }
    }
  }

  /// Takes a client, unless it may not be one or there are too many.
  func admit(_ socket: consuming FileDescriptor) {
    let number = socket.rawValue
    guard let peer = try? UnixSocket.peerCredentials(number) else { return }
    guard policy.admits(peer, groups: UnixSocket.peerGroups(number)) else {
      if refusedUser != peer.userID {
        logger.warning("user \(peer.userID), process \(peer.processID), may not control the daemon")
      }
      refusedUser = peer.userID
      return ControlServerLoop.refuse(number, policy.refusal(of: peer))
    }
    guard connections.count < limits.clients else {
      return ControlServerLoop.refuse(
        number, RPCError(.busy, "\(limits.clients) clients control this daemon already; end one of them"))
    }
    let connection = ControlConnection(socket, limits)
    let token = takeNumber()
    do throws(Errno) {
      try resources.epoll.add(number, connection.wanted, token: token)
      connection.watched = connection.wanted
      connections[token] = connection
    } catch {
      logger.error("a control client cannot be served: \(error)")
    }
  }

  /// Says why, as far as the empty socket takes it, before the socket is closed.
  private static func refuse(_ socket: Int32, _ error: RPCError) {
    _ = try? UnixSocket.send(socket, Reply.line(error).span, wait: false)
  }

  private func takeNumber() -> UInt64 {
    defer { nextNumber += 1 }
    return nextNumber
  }

  private func close(_ token: UInt64) {
    guard let connection = connections.removeValue(forKey: token) else { return }
    resources.epoll.remove(connection.socket.rawValue)
    // One that could not be accepted may wait: its own event is over.
    accept()
  }

  // MARK: Requests

  private func serve(_ token: UInt64, _ events: Epoll.Events) {
    guard let connection = connections[token] else { return }
    if events.contains(.readable), connection.state == .open {
      switch connection.receiver.receive(from: connection.socket.rawValue) {
      case .received: takeLines(token, connection)
      case .wouldBlock: break
      case .closed: connection.isFinished = true
      case .failed(let error):
        send(Reply.line(error), to: connection)
        connection.state = .ending
      }
    } else if !events.isDisjoint(with: [.hangup, .error]) {
      // Nobody is there to take a reply.
      return close(token)
    }
    settle(token, connection)
  }

  private func takeLines(_ token: UInt64, _ connection: ControlConnection) {
    while connection.state == .open, let line = connection.receiver.next() {
      guard line.bytes.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { continue }
      var descriptors = line.descriptors
      do throws(RPCError) {
        let message = try IncomingMessage(line.bytes, methods: methods)
        if message.takesLong {
          call(token, connection, message, descriptors)
        } else if let reply = Reply.line(to: message, descriptors: &descriptors) {
          send(reply, to: connection)
        }
      } catch {
        send(Reply.line(error), to: connection)
      }
    }
  }

  /// Has a thread do what a message asks for; its client waits.
  private func call(
    _ token: UInt64, _ connection: ControlConnection, _ message: IncomingMessage,
    _ descriptors: consuming ReceivedDescriptors
  ) {
    let number = takeNumber()
    let finished = resources.finished
    let handover = HandoverBox(descriptors)
    do throws(RPCError) {
      guard calls.count < limits.longCalls else {
        throw RPCError(.busy, "\(limits.longCalls) requests that take long are under way already")
      }
      let work: @Sendable () -> Void = {
        let reply = handover.withDescriptors { Reply.line(to: message, descriptors: &$0) }
        finished.post(FinishedCall(client: token, number: number, reply: reply))
      }
      do throws(Errno) {
        if isInline { work() } else { calls[number] = try Thread(name: "nvmed-call", work) }
      } catch { throw RPCError(.busy, "no thread can be had for it: \(error)") }
      connection.state = .calling
    } catch {
      var none = ReceivedDescriptors(capacity: 0)
      if let reply = Reply.line(to: message.refused(error), descriptors: &none) { send(reply, to: connection) }
    }
  }

  /// Sends the replies of calls that are over, and goes on with what their clients sent meanwhile.
  private func finish() {
    for call in resources.finished.takeAll() {
      calls.removeValue(forKey: call.number)?.join()
      guard let connection = connections[call.client] else { continue }
      connection.state = isStopping ? .ending : .open
      if let reply = call.reply { send(reply, to: connection) }
      takeLines(call.client, connection)
      settle(call.client, connection)
    }
  }

  // MARK: Replies

  private func send(_ reply: [UInt8], to connection: ControlConnection) {
    guard !connection.outgoing.append(reply) else { return }
    logger.notice("a control client was dropped: it does not read the replies to its requests")
    droppedCount += 1
    connection.outgoing.removeAll()
    connection.state = .ending
  }

  /// Sends what can be sent, and watches for what is next.
  private func settle(_ token: UInt64, _ connection: ControlConnection) {
    let socket = connection.socket.rawValue
    do throws(Errno) {
      try connection.outgoing.flush(to: socket)
      guard !connection.isOver else { return close(token) }
      let wanted = connection.wanted
      guard wanted != connection.watched else { return }
      try resources.epoll.modify(socket, wanted, token: token)
      connection.watched = wanted
    } catch {
      close(token)
    }
  }
}

/// Hands the descriptors of a request to the thread that does it.
private final class HandoverBox: Sendable {
  private let descriptors: Locked<ReceivedDescriptors>

  init(_ descriptors: consuming ReceivedDescriptors) { self.descriptors = Locked(descriptors) }

  func withDescriptors<Result>(_ body: (inout ReceivedDescriptors) -> sending Result) -> sending Result {
    descriptors.withLock { body(&$0) }
  }
}
