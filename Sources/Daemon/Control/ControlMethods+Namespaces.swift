import Control
import LinuxIO
import NVMeController

extension ControlMethods {
  var namespaceMethods: [ControlMethod] {
    [
      ControlMethod(
        "namespace.add", "Adds a namespace to a controller; its guest sees it.", takesLong: true, takesDescriptors: true
      ) { [supervisor] (parameters: NewNamespace, descriptors: inout ReceivedDescriptors) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        let configuration = try JSONConfiguration.namespace(
          parameters.namespace, descriptors: 0..<descriptors.count)
        var handedOver = HandedOver()
        handedOver.takeImages(of: [configuration], from: &descriptors)
        do throws(DaemonError) {
          let nsid = try supervisor.addNamespace(
            controller: parameters.controller, configuration, handedOver: handedOver)
          return NamespaceResult(nsid: nsid)
        } catch { throw ControlMethods.refusal(error) }
      },
      ControlMethod(
        "namespace.remove", "Takes a namespace away from a controller; its guest sees it.", takesLong: true
      ) { [supervisor] (parameters: NamespaceChoice, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        do throws(DaemonError) {
          try supervisor.removeNamespace(controller: parameters.controller, nsid: parameters.nsid)
          return NoResult()
        } catch { throw ControlMethods.refusal(error) }
      },
      ControlMethod(
        "namespace.resize", "Looks at the size of a namespace's image again; its guest sees another one.",
        takesLong: true
      ) { [supervisor] (parameters: NamespaceChoice, _) throws(RPCError) in
        try ControlMethods.require(supervisor, parameters.controller)
        do throws(DaemonError) {
          let size = try supervisor.resizeNamespace(controller: parameters.controller, nsid: parameters.nsid)
          return NamespaceResult(nsid: parameters.nsid, size: size)
        } catch { throw ControlMethods.refusal(error) }
      },
    ]
  }
}
