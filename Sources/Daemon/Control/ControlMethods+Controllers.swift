import Control
import LinuxIO
import NVMeController

extension ControlMethods {
  var controllerMethods: [ControlMethod] { readingMethods + changingMethods }

  private var readingMethods: [ControlMethod] {
    [
      ControlMethod("controller.list", "Lists the controllers.", takesLong: true) {
        [supervisor] (_: NoParameters, _) throws(RPCError) in
        supervisor.status().controllers.map(ControllerSummary.init)
      },
      ControlMethod("controller.status", "Tells what a controller is doing.", takesLong: true) {
        [supervisor] (parameters: ControllerChoice, _) throws(RPCError) in
        try ControlMethods.status(supervisor, parameters.controller)
      },
      ControlMethod("queue.list", "Lists the queues of a controller.", takesLong: true) {
        [supervisor] (parameters: ControllerChoice, _) throws(RPCError) in
        try ControlMethods.status(supervisor, parameters.controller).queues
      },
      ControlMethod("dma.map", "Lists the guest memory that a controller's client has mapped.", takesLong: true) {
        [supervisor] (parameters: ControllerChoice, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        do throws(DaemonError) {
          return try supervisor.dmaMap(controller: parameters.controller)
        } catch { throw ControlMethods.refusal(error) }
      },
      ControlMethod(
        "errors.list", "Lists the last commands of a controller's guest that failed, the newest first.", takesLong: true
      ) { [supervisor] (parameters: ControllerChoice, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        do throws(DaemonError) {
          return try supervisor.errorLog(controller: parameters.controller)
        } catch { throw ControlMethods.refusal(error) }
      },
    ]
  }

  private var changingMethods: [ControlMethod] {
    [
      ControlMethod(
        "controller.add", "Serves one more controller on a socket of its own.", takesLong: true, takesDescriptors: true
      ) { [supervisor] (parameters: NewController, descriptors: inout ReceivedDescriptors) throws(RPCError) in
        try ControlMethods.add(parameters, socket: nil, &descriptors, supervisor)
      },
      ControlMethod(
        "controller.attach",
        "Serves one more controller on a socket that comes with the request, as its first descriptor: a connected one "
          + "until it closes, a listening one for ever.", takesLong: true, takesDescriptors: true
      ) { [supervisor] (parameters: NewController, descriptors: inout ReceivedDescriptors) throws(RPCError) in
        guard let socket = descriptors.take(0) else {
          throw RPCError(.invalidParameters, "no socket came with the request; send it as the first descriptor")
        }
        if parameters.controller["socket"] != nil {
          throw RPCError(
            .invalidParameters, "'socket' has no effect with a socket that comes with the request; remove it")
        }
        return try ControlMethods.add(parameters, socket: socket, &descriptors, supervisor)
      },
      ControlMethod(
        "controller.remove", "Ends a controller: what is in flight is completed, its client is disconnected.",
        takesLong: true
      ) { [supervisor] (parameters: ControllerChoice, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        do throws(DaemonError) {
          try supervisor.removeController(parameters.controller)
          return NoResult()
        } catch { throw ControlMethods.refusal(error) }
      },
      ControlMethod(
        "controller.drain",
        "Lets a guest's commands rest for a moment: when it returns, nothing was in flight and everything was durable.",
        takesLong: true
      ) { [supervisor] (parameters: ControllerChoice, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        do throws(DaemonError) {
          try supervisor.drain(controller: parameters.controller)
          return NoResult()
        } catch { throw ControlMethods.refusal(error) }
      },
      ControlMethod("controller.set_limits", "Replaces the rate limits of a controller.", takesLong: true) {
        [supervisor] (parameters: NewLimits, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        let limits = try JSONConfiguration.limits(parameters.limits).rateLimits
        do throws(DaemonError) {
          try supervisor.setLimits(controller: parameters.controller, limits)
          return limits
        } catch { throw ControlMethods.refusal(error) }
      },
    ]
  }

  private static func add(
    _ parameters: NewController, socket: consuming FileDescriptor?, _ descriptors: inout ReceivedDescriptors,
    _ supervisor: Supervisor
  ) throws(RPCError) -> NoResult {
    let first = socket == nil ? 0 : 1
    let configuration = try JSONConfiguration.controller(
      parameters.controller, daemon: supervisor.configuration, descriptors: first..<max(first, descriptors.count))
    var handedOver = HandedOver(socket: socket)
    handedOver.takeImages(of: configuration.namespaces, from: &descriptors)
    do throws(DaemonError) {
      try supervisor.addController(configuration, handedOver: handedOver)
      return NoResult()
    } catch { throw refusal(error) }
  }
}

extension HandedOver {
  /// Takes the images that namespaces name by their places.
  mutating func takeImages(of namespaces: [NamespaceConfiguration], from descriptors: inout ReceivedDescriptors) {
    for namespace in namespaces {
      guard let place = namespace.inheritedImage, let image = descriptors.take(Int(place)) else { continue }
      add(image: image, number: place)
    }
  }
}
