import Testing

/// A configuration that is refused, and every line of the answer.
struct BadConfiguration: Sendable, CustomTestStringConvertible {
  let text: String
  let errors: [String]

  init(_ text: String, _ errors: String...) { self.init(text: text, errors: errors) }

  var testDescription: String { errors.first ?? "" }

  /// A controller, three lines, for tables that need one above them.
  private static let controller = """
    [[controller]]
    name = "disk0"
    socket = "/run/disk0.sock"

    """

  /// A namespace table in a controller: the header is line 4.
  private static func namespace(_ keys: String, _ errors: String...) -> BadConfiguration {
    BadConfiguration(text: controller + "[[controller.namespace]]\n" + keys, errors: errors)
  }

  private init(text: String, errors: [String]) {
    self.text = text
    self.errors = errors
  }

  static let unknownKeys: [BadConfiguration] = [
    BadConfiguration("[deamon]", "nvmed.toml:1: deamon: unknown key; did you mean 'daemon'?"),
    BadConfiguration(
      "[[controllers]]\nname = \"a\"", "nvmed.toml:1: controllers: unknown key; did you mean 'controller'?"),
    BadConfiguration("io_threads = 2", "nvmed.toml:1: io_threads: unknown key; 'io_threads' belongs in [daemon]"),
    BadConfiguration(
      "\n[[namespace]]\n", "nvmed.toml:2: namespace: unknown key; write [[controller.namespace]]"),
    BadConfiguration(
      "[target.subsystem]",
      "nvmed.toml:1: target: unknown key; a file has the tables [daemon], [metrics] and [[controller]]"),
    BadConfiguration(
      "[daemon]\nio_thread = 2",
      "nvmed.toml:2: daemon.io_thread: unknown key; did you mean 'io_threads'? 'io_thread' belongs in [[controller]]"),
    BadConfiguration(
      "[daemon]\nioThreads = 2", "nvmed.toml:2: daemon.ioThreads: unknown key; did you mean 'io_threads'?"),
    BadConfiguration(
      "[daemon]\nIO-THREADS = 2", "nvmed.toml:2: daemon.IO-THREADS: unknown key; did you mean 'io_threads'?"),
    BadConfiguration(
      "[daemon]\ncolour = 1",
      "nvmed.toml:2: daemon.colour: unknown key; [daemon] has the keys io_threads, io_cpus, log_level, log_format, worker_threads, spin_us, poll_sleep_us, control_socket, control_group, sandbox, user, group, image_folders"
    ),
    BadConfiguration(
      "[daemon]\n\"log level\" = 1",
      "nvmed.toml:2: daemon.\"log level\": unknown key; did you mean 'log_level'?"),
    BadConfiguration(
      "[daemon]\n\"\\u0007\" = 1",
      "nvmed.toml:2: daemon.\"\\u{7}\": unknown key; "
        + "[daemon] has the keys io_threads, io_cpus, log_level, log_format, worker_threads, spin_us, poll_sleep_us, control_socket, control_group, sandbox, user, group, image_folders"
    ),
    BadConfiguration(
      controller + "block_size = 512",
      "nvmed.toml:4: controller.block_size: unknown key; 'block_size' belongs in [[controller.namespace]]"),
    BadConfiguration(
      controller + "queues = 4", "nvmed.toml:4: controller.queues: unknown key; did you mean 'io_queues'?"),
    namespace(
      "image = \"/a\"\nblocksize = 512",
      "nvmed.toml:6: controller.namespace.blocksize: unknown key; did you mean 'block_size'?"),
    namespace(
      "image = \"/a\"\nreadonly = true",
      "nvmed.toml:6: controller.namespace.readonly: unknown key; did you mean 'read_only'?"),
    namespace(
      "image = \"/a\"\nimgae = \"/b\"", "nvmed.toml:6: controller.namespace.imgae: unknown key; did you mean 'image'?"),
    namespace(
      "image = \"/a\"\nsocket = \"/b\"",
      "nvmed.toml:6: controller.namespace.socket: unknown key; 'socket' belongs in [[controller]]"),
    BadConfiguration(
      "controller = [{ name = \"a\", colour = 1 }]",
      "nvmed.toml:1: controller.colour: unknown key; [[controller]] has the keys name, socket, serial, model, firmware, "
        + "io_queues, queue_entries, max_data_transfer, doorbells, post_write, shadow_doorbells, vendor_id, "
        + "device_id, io_thread, iops_limit, iops_burst, bandwidth_limit, bandwidth_burst, read_iops_limit, "
        + "read_iops_burst, read_bandwidth_limit, read_bandwidth_burst, write_iops_limit, write_iops_burst, "
        + "write_bandwidth_limit, write_bandwidth_burst, namespace"),
  ]

  static let types: [BadConfiguration] = [
    BadConfiguration("daemon = 1", "nvmed.toml:1: daemon: is an integer; write [daemon]"),
    BadConfiguration("[[daemon]]", "nvmed.toml:1: daemon: is an array; write [daemon]"),
    BadConfiguration("metrics = 1", "nvmed.toml:1: metrics: is an integer; write [metrics]"),
    BadConfiguration("[metrics]\nport = 1", "nvmed.toml:2: metrics.port: unknown key; [metrics] has the keys listen"),
    BadConfiguration("listen = 1", "nvmed.toml:1: listen: unknown key; 'listen' belongs in [metrics]"),
    BadConfiguration(
      "[metrics]\nlisten = \"0.0.0.0:9911\"",
      "nvmed.toml:2: metrics.listen: \"0.0.0.0:9911\" is no loopback address with a port, and no unix socket; "
        + "write a loopback address with a port, as in \"127.0.0.1:9911\" or \"[::1]:9911\", or a path, as in "
        + "\"unix:/run/nvmed/metrics.sock\""),
    BadConfiguration(
      "[daemon]\nlog_format = \"syslog\"",
      "nvmed.toml:2: daemon.log_format: \"syslog\" is unknown; write \"auto\", \"plain\", \"journald\" or \"json\""),
    BadConfiguration("[controller]\nname = \"a\"", "nvmed.toml:1: controller: is a table; write [[controller]]"),
    BadConfiguration(
      "controller = [\n  { name = \"a\" },\n  7,\n]",
      "nvmed.toml:3: controller: element 2 is an integer; write [[controller]]"),
    BadConfiguration(
      controller + "[controller.namespace]\nimage = \"/a\"",
      "nvmed.toml:4: controller.namespace: is a table; write [[controller.namespace]]"),
    BadConfiguration(
      "[daemon]\nio_threads = \"2\"", "nvmed.toml:2: daemon.io_threads: is a string; write an integer from 1 to 64"),
    BadConfiguration(
      "[daemon]\nio_threads = 2.0",
      "nvmed.toml:2: daemon.io_threads: is a floating-point number; write an integer from 1 to 64"),
    BadConfiguration(
      "[daemon]\nio_threads = 2026-01-31",
      "nvmed.toml:2: daemon.io_threads: is a date or time; write an integer from 1 to 64"),
    BadConfiguration(
      "[daemon]\nio_threads.count = 2", "nvmed.toml:2: daemon.io_threads: is a table; write an integer from 1 to 64"),
    BadConfiguration(
      "[daemon]\nio_cpus = 3",
      "nvmed.toml:2: daemon.io_cpus: is an integer; write a list of different CPU numbers from 0 to 1023, as in [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_threads = 2\nio_cpus = [1, \"2-3\"]",
      "nvmed.toml:3: daemon.io_cpus: element 2 is a string; "
        + "write a list of different CPU numbers from 0 to 1023, as in [2, 3]"),
    BadConfiguration(
      "[daemon]\nlog_level = 3",
      "nvmed.toml:2: daemon.log_level: is an integer; "
        + "write \"trace\", \"debug\", \"info\", \"notice\", \"warning\" or \"error\""),
    BadConfiguration(
      "[[controller]]\nname = 1",
      "nvmed.toml:2: controller.name: is an integer; "
        + "write 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"),
    BadConfiguration(
      "[[controller]]\nname = \"a\"\nsocket = true",
      "nvmed.toml:3: controller.socket: is a boolean; write a path of 1 to 107 bytes"),
    BadConfiguration(
      controller + "max_data_transfer = false",
      "nvmed.toml:4: controller.max_data_transfer: is a boolean; write a power of two from \"8KiB\" to \"2MiB\""),
    namespace(
      "image = \"/a\"\nread_only = \"yes\"",
      "nvmed.toml:6: controller.namespace.read_only: is a string; write true or false"),
    namespace("image = []", "nvmed.toml:5: controller.namespace.image: is an array; write a path of 1 to 4095 bytes"),
  ]

  static let values: [BadConfiguration] = [
    BadConfiguration(
      "[daemon]\nio_threads = 0", "nvmed.toml:2: daemon.io_threads: 0 is out of range; write an integer from 1 to 64"),
    BadConfiguration(
      "[daemon]\nworker_threads = 65",
      "nvmed.toml:2: daemon.worker_threads: 65 is out of range; write an integer from 1 to 64"),
    BadConfiguration(
      "[daemon]\nio_threads = 2\nio_cpus = [1, 1]",
      "nvmed.toml:3: daemon.io_cpus: 1 is listed twice; "
        + "write a list of different CPU numbers from 0 to 1023, as in [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_cpus = [-1]",
      "nvmed.toml:2: daemon.io_cpus: -1 is out of range; "
        + "write a list of different CPU numbers from 0 to 1023, as in [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_cpus = [9223372036854775807]",
      "nvmed.toml:2: daemon.io_cpus: 9223372036854775807 is out of range; "
        + "write a list of different CPU numbers from 0 to 1023, as in [2, 3]"),
    BadConfiguration(
      "[daemon]\nlog_level = \"verbose\"",
      "nvmed.toml:2: daemon.log_level: \"verbose\" is unknown; "
        + "write \"trace\", \"debug\", \"info\", \"notice\", \"warning\" or \"error\""),
    BadConfiguration(
      "[[controller]]\nname = \"\"",
      "nvmed.toml:2: controller.name: is empty; "
        + "write 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"),
    BadConfiguration(
      "[[controller]]\nname = \"a/b\"",
      "nvmed.toml:2: controller.name: \"a/b\" is no name; "
        + "write 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"),
    BadConfiguration(
      "[[controller]]\nname = \".hidden\"",
      "nvmed.toml:2: controller.name: \".hidden\" is no name; "
        + "write 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"),
    BadConfiguration(
      "[[controller]]\nname = \"\(String(repeating: "n", count: 65))\"",
      "nvmed.toml:2: controller.name: \"\(String(repeating: "n", count: 65))\" is 65 characters long; "
        + "write 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit"),
    BadConfiguration(
      "[[controller]]\nname = \"a\"\nsocket = \"\"",
      "nvmed.toml:3: controller.socket: is empty; write a path of 1 to 107 bytes"),
    BadConfiguration(
      "[[controller]]\nname = \"a\"\nsocket = \"/\(String(repeating: "s", count: 107))\"",
      "nvmed.toml:3: controller.socket: \"/\(String(repeating: "s", count: 79))...\" is 108 bytes long; "
        + "write a path of 1 to 107 bytes"),
    // Short enough as written, too long behind the folder of the file, which is /etc/nvmed.
    BadConfiguration(
      "[[controller]]\nname = \"a\"\nsocket = \"\(String(repeating: "s", count: 107))\"",
      "nvmed.toml:3: controller.socket: \"/etc/nvmed/\(String(repeating: "s", count: 69))...\" is 118 bytes long; "
        + "write a path of 1 to 107 bytes"),
    BadConfiguration(
      controller + "serial = \"123456789012345678901\"",
      "nvmed.toml:4: controller.serial: \"123456789012345678901\" is 21 characters long; "
        + "write 1 to 20 printable ASCII characters without a space at either end"),
    BadConfiguration(
      controller + "serial = \"Größe\"",
      "nvmed.toml:4: controller.serial: \"Größe\" has characters that are not printable ASCII; "
        + "write 1 to 20 printable ASCII characters without a space at either end"),
    BadConfiguration(
      controller + "model = \"disk \"",
      "nvmed.toml:4: controller.model: \"disk \" begins or ends with a space; "
        + "write 1 to 40 printable ASCII characters without a space at either end"),
    BadConfiguration(
      controller + "firmware = \"\"",
      "nvmed.toml:4: controller.firmware: is empty; "
        + "write 1 to 8 printable ASCII characters without a space at either end"),
    BadConfiguration(
      controller + "firmware = \"a\\nb\"",
      "nvmed.toml:4: controller.firmware: \"a\\u{a}b\" has characters that are not printable ASCII; "
        + "write 1 to 8 printable ASCII characters without a space at either end"),
    BadConfiguration(
      controller + "io_queues = 65",
      "nvmed.toml:4: controller.io_queues: 65 is out of range; write an integer from 1 to 64"),
    BadConfiguration(
      controller + "queue_entries = 1",
      "nvmed.toml:4: controller.queue_entries: 1 is out of range; write an integer from 2 to 4096"),
    BadConfiguration(
      controller + "max_data_transfer = \"4MiB\"",
      "nvmed.toml:4: controller.max_data_transfer: 4194304 bytes is out of range; "
        + "write a power of two from \"8KiB\" to \"2MiB\""),
    // MDTS has no value for it: 0, which would be 4 KiB, means that there is no limit.
    BadConfiguration(
      controller + "max_data_transfer = \"4KiB\"",
      "nvmed.toml:4: controller.max_data_transfer: 4096 bytes is out of range; "
        + "write a power of two from \"8KiB\" to \"2MiB\""),
    BadConfiguration(
      controller + "max_data_transfer = \"100KiB\"",
      "nvmed.toml:4: controller.max_data_transfer: 102400 bytes is no power of two; "
        + "write a power of two from \"8KiB\" to \"2MiB\""),
    BadConfiguration(
      controller + "max_data_transfer = -1",
      "nvmed.toml:4: controller.max_data_transfer: -1 is negative; write a power of two from \"8KiB\" to \"2MiB\""),
    BadConfiguration(
      controller + "max_data_transfer = \"9EiB\"",
      "nvmed.toml:4: controller.max_data_transfer: \"EiB\" is no unit of size; "
        + "write a power of two from \"8KiB\" to \"2MiB\""),
    BadConfiguration(
      controller + "max_data_transfer = \"16383PiB\"",
      "nvmed.toml:4: controller.max_data_transfer: is out of range; write a power of two from \"8KiB\" to \"2MiB\""),
    BadConfiguration(
      controller + "vendor_id = 0xffff\ndevice_id = 0",
      "nvmed.toml:4: controller.vendor_id: 65535 is out of range; write an integer from 0x0001 to 0xfffe",
      "nvmed.toml:5: controller.device_id: 0 is out of range; write an integer from 0x0001 to 0xfffe"),
    BadConfiguration(
      controller + "vendor_id = 0x10000\ndevice_id = 1",
      "nvmed.toml:4: controller.vendor_id: 65536 is out of range; write an integer from 0x0001 to 0xfffe"),
    BadConfiguration(
      controller + "io_thread = -1",
      "nvmed.toml:4: controller.io_thread: -1 is out of range; write an integer from 0 to 63"),
    BadConfiguration(
      controller + "iops_limit = 0",
      "nvmed.toml:4: controller.iops_limit: 0 is out of range; write an integer from 1 to 10000000"),
    BadConfiguration(
      controller + "write_iops_limit = -5",
      "nvmed.toml:4: controller.write_iops_limit: -5 is out of range; write an integer from 1 to 10000000"),
    BadConfiguration(
      controller + "bandwidth_limit = \"200MiB\"",
      "nvmed.toml:4: controller.bandwidth_limit: \"200MiB\" does not end in \"/s\"; "
        + "write bytes per second from \"4KiB/s\" to \"1TiB/s\""),
    BadConfiguration(
      controller + "read_bandwidth_limit = 1",
      "nvmed.toml:4: controller.read_bandwidth_limit: 1 bytes per second is out of range; "
        + "write bytes per second from \"4KiB/s\" to \"1TiB/s\""),
    namespace(
      "image = \"/a\"\nnsid = 65",
      "nvmed.toml:6: controller.namespace.nsid: 65 is out of range; "
        + "write an integer from 1 to 64"),
    BadConfiguration(
      controller + "doorbells = \"mmap\"",
      "nvmed.toml:4: controller.doorbells: \"mmap\" is unknown; write \"auto\", \"ioeventfd\" or \"poll\""),
    BadConfiguration(
      controller + "shadow_doorbells = true",
      "nvmed.toml:4: controller.shadow_doorbells: is a boolean; write \"off\", \"on\" or \"required\""),
    BadConfiguration(
      controller + "doorbells = \"poll\"\nshadow_doorbells = \"required\"",
      "nvmed.toml:5: controller.shadow_doorbells: \"required\" is for eventfds and has no use with doorbells = "
        + "\"poll\"; write \"on\" or \"off\""),
    BadConfiguration(
      controller + "post_write = \"bpf\"",
      "nvmed.toml:4: controller.post_write: \"bpf\" is unknown; write \"auto\", \"kernel\", \"ebpf\" or \"off\""),
    namespace(
      "backend = \"iscsi\"",
      "nvmed.toml:5: controller.namespace.backend: \"iscsi\" is unknown; write \"file\", \"null\" or \"memory\""),
    namespace(
      "image = \"/a\"\nblock_size = 1024",
      "nvmed.toml:6: controller.namespace.block_size: 1024 is not possible; write 512 or 4096"),
    namespace(
      "image = \"/a\"\ncache = \"none\"",
      "nvmed.toml:6: controller.namespace.cache: \"none\" is unknown; write \"direct\" or \"buffered\""),
    namespace(
      "image = \"/a\"\nuuid = \"5d5b21d56d2b4f0e9a3c1f0e6f6f3c11\"",
      "nvmed.toml:6: controller.namespace.uuid: \"5d5b21d56d2b4f0e9a3c1f0e6f6f3c11\" is malformed; "
        + "write a UUID other than zero, as in \"5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11\""),
    namespace(
      "image = \"/a\"\nuuid = \"00000000-0000-0000-0000-000000000000\"",
      "nvmed.toml:6: controller.namespace.uuid: is zero, which means \"none\"; "
        + "write a UUID other than zero, as in \"5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11\""),
    namespace(
      "image = \"/a\"\nnguid = \"6b3d0e1f2a4c5b6d0024ac5f0000000g\"",
      "nvmed.toml:6: controller.namespace.nguid: \"6b3d0e1f2a4c5b6d0024ac5f0000000g\" is malformed; "
        + "write 32 hexadecimal digits, not all zero"),
    namespace(
      "image = \"/a\"\neui64 = \"0024ac5f000001\"",
      "nvmed.toml:6: controller.namespace.eui64: \"0024ac5f000001\" is malformed; "
        + "write 16 hexadecimal digits, not all zero"),
  ]

  private static let sizeAdvice =
    "write a size from \"4KiB\" to \"1PiB\", with a unit B, KiB, MiB, GiB, TiB, PiB, kB, MB, GB, TB or PB"

  static let sizes: [BadConfiguration] = [
    ("\"\"", "\"\" does not begin with a whole number"), ("\"GiB\"", "\"GiB\" does not begin with a whole number"),
    ("\"-1GiB\"", "\"-1GiB\" does not begin with a whole number"), ("\"1024\"", "\"1024\" has no unit"),
    ("\"1.5GiB\"", "\".5GiB\" is no unit of size"), ("\"1gib\"", "\"gib\" is no unit of size"),
    ("\"1 GiB \"", "\"GiB \" is no unit of size"),
    ("\"99999999999999999999B\"", "\"99999999999999999999B\" is too large"),
    ("\"16384PiB\"", "\"16384PiB\" is too large"), ("\"2PiB\"", "2251799813685248 bytes is out of range"),
    ("4095", "4095 bytes is out of range"), ("-4096", "-4096 is negative"), ("1.0", "is a floating-point number"),
  ].map { text, problem in
    namespace(
      "backend = \"null\"\nsize = \(text)", "nvmed.toml:6: controller.namespace.size: \(problem); \(sizeAdvice)")
  }

  static let relations: [BadConfiguration] = [
    BadConfiguration(
      "[[controller.namespace]]\nimage = \"/a\"",
      "nvmed.toml:1: controller: [[controller.namespace]] has no [[controller]] above it; write one"),
    // What is refused already is not compared.
    BadConfiguration(
      "[[controller]]\n[[controller]]\n[daemon]\nio_threads = 0\nio_cpus = [1, 2]",
      "nvmed.toml:1: controller.name: missing; write for example name = \"disk0\"",
      "nvmed.toml:2: controller.name: missing; write for example name = \"disk0\"",
      "nvmed.toml:4: daemon.io_threads: 0 is out of range; write an integer from 1 to 64"),
    BadConfiguration(
      "[[controller]]\nsocket = \"/a\"", "nvmed.toml:1: controller.name: missing; write for example name = \"disk0\""),
    BadConfiguration(
      "[[controller]]\nname = \"a-name-of-twenty-five-char\"",
      "nvmed.toml:1: controller.serial: missing; the name has 26 characters and cannot stand in, so "
        + "write 1 to 20 printable ASCII characters without a space at either end"),
    BadConfiguration(
      "[daemon]\nio_threads = 2\nio_cpus = [1, 2, 3]",
      "nvmed.toml:3: daemon.io_cpus: lists 3 CPUs for 2 I/O threads; list one for each, or none"),
    BadConfiguration(
      "[daemon]\nio_threads = 2\n" + controller + "io_thread = 2",
      "nvmed.toml:6: controller.io_thread: 2 is out of range; write an integer below io_threads, which is 2"),
    BadConfiguration(
      controller + "vendor_id = 0x1234",
      "nvmed.toml:1: controller.device_id: missing; write vendor_id and device_id, or neither"),
    BadConfiguration(
      controller + "device_id = 0x1234",
      "nvmed.toml:1: controller.vendor_id: missing; write vendor_id and device_id, or neither"),
    BadConfiguration(
      controller + "read_iops_burst = 5\nbandwidth_burst = \"1MiB\"",
      "nvmed.toml:4: controller.read_iops_burst: has no effect without read_iops_limit; write that too, or remove it",
      "nvmed.toml:5: controller.bandwidth_burst: has no effect without bandwidth_limit; write that too, or remove it"),
    namespace(
      "", "nvmed.toml:4: controller.namespace.image: missing; write for example image = \"/var/lib/nvmed/disk0.img\""),
    namespace(
      "backend = \"null\"", "nvmed.toml:4: controller.namespace.size: missing; write for example size = \"1GiB\""),
    BadConfiguration(
      controller + "post_write = \"ebpf\"\ndoorbells = \"poll\"",
      "nvmed.toml:4: controller.post_write: has no effect with doorbells = \"poll\"; remove it"),
    namespace(
      "image = \"/a\"\nsize = \"1GiB\"",
      "nvmed.toml:6: controller.namespace.size: has no effect with backend = \"file\"; remove it"),
    namespace(
      "backend = \"memory\"\nsize = \"1GiB\"\nimage = \"/a\"\nlock = false\ncache = \"direct\"",
      "nvmed.toml:7: controller.namespace.image: has no effect with backend = \"memory\"; remove it",
      "nvmed.toml:8: controller.namespace.lock: has no effect with backend = \"memory\"; remove it",
      "nvmed.toml:9: controller.namespace.cache: has no effect with backend = \"memory\"; remove it"),
    namespace(
      "backend = \"null\"\nblock_size = 4096\nsize = 5000",
      "nvmed.toml:7: controller.namespace.size: 5000 bytes is no whole number of blocks; "
        + "write a multiple of block_size, which is 4096"),
    BadConfiguration(
      controller + String(repeating: "[[controller.namespace]]\nbackend = \"null\"\nsize = \"1GiB\"\n", count: 66),
      "nvmed.toml:196: controller.namespace: is number 65; a controller has at most 64 namespaces"),
  ]

  static let shared: [BadConfiguration] = [
    namespace(
      "image = \"/a\"\nnsid = 2\n[[controller.namespace]]\nimage = \"/b\"\nnsid = 2",
      "nvmed.toml:9: controller.namespace.nsid: 2 is that of another namespace in line 6; "
        + "write a different one for each namespace of a controller"),
    BadConfiguration(
      "[[controller]]\nname = \"a\"\nserial = \"1\"\n[[controller]]\nname = \"a\"\nserial = \"2\"",
      "nvmed.toml:5: controller.name: \"a\" is that of controller \"a\" in line 2 too; "
        + "write a different name for each controller"),
    BadConfiguration(
      "[[controller]]\nname = \"a\"\n[[controller]]\nname = \"b\"\nserial = \"a\"",
      "nvmed.toml:5: controller.serial: \"a\" is that of controller \"a\" in line 1 too; "
        + "write a different serial for each controller"),
    BadConfiguration(
      "[daemon]\ncontrol_socket = \"/run/./x\"\n[[controller]]\nname = \"a\"\nsocket = \"/run/x\"",
      "nvmed.toml:5: controller.socket: \"/run/x\" is the control socket too; write different paths"),
    BadConfiguration(
      "[metrics]\nlisten = \"unix:/run/x\"\n[[controller]]\nname = \"a\"\nsocket = \"/run/x\"",
      "nvmed.toml:5: controller.socket: \"/run/x\" is the socket of the metrics too; write different paths"),
    BadConfiguration(
      "[daemon]\ncontrol_socket = \"/run/x\"\n[metrics]\nlisten = \"unix:/run/x\"",
      "nvmed.toml:4: metrics.listen: \"/run/x\" is the control socket too; write different paths"),
    BadConfiguration(
      "[daemon]\ncontrol_socket = \"\"\ncontrol_group = 7",
      "nvmed.toml:2: daemon.control_socket: is empty; write a path of 1 to 107 bytes",
      "nvmed.toml:3: daemon.control_group: is an integer; "
        + "write 1 to 32 printable ASCII characters without a space at either end"),
    BadConfiguration(
      "[[controller]]\nname = \"a\"\nsocket = \"/run//./x\"\n[[controller]]\nname = \"b\"\nsocket = \"/run/x\"",
      "nvmed.toml:6: controller.socket: \"/run/x\" is that of controller \"a\" in line 3 too; "
        + "write a different socket for each controller"),
    BadConfiguration(
      """
      [[controller]]
      name = "a"
      [[controller.namespace]]
      image = "x.img"
      [[controller.namespace]]
      image = "y.img"
      read_only = true
      [[controller]]
      name = "b"
      [[controller.namespace]]
      image = "/etc/nvmed/y.img"
      read_only = true
      [[controller.namespace]]
      image = "./x.img"
      read_only = true
      """,
      "nvmed.toml:14: controller.namespace.image: \"/etc/nvmed/x.img\" is that of namespace 1 of controller \"a\" "
        + "in line 4 too; use another image, or write read_only = true in both"),
    BadConfiguration(
      """
      [[controller]]
      name = "a"
      namespace = [
        { image = "/x", uuid = "5d5b21d5-6d2b-4f0e-9a3c-1f0e6f6f3c11", eui64 = "0024ac5f00000001" },
        { image = "/y", uuid = "5D5B21D5-6D2B-4F0E-9A3C-1F0E6F6F3C11", eui64 = "0024ac5f00000002" },
        { image = "/z", eui64 = "0024AC5F00000001" },
      ]
      """,
      "nvmed.toml:5: controller.namespace.uuid: \"5d5b21d56d2b4f0e9a3c1f0e6f6f3c11\" is that of namespace 1 of "
        + "controller \"a\" in line 4 too; write a different uuid for each namespace",
      "nvmed.toml:6: controller.namespace.eui64: \"0024ac5f00000001\" is that of namespace 1 of "
        + "controller \"a\" in line 4 too; write a different eui64 for each namespace"),
  ]
}
