import Glibc
import LinuxIO
import Testing

@Suite struct ProcessEnvironmentTests {
  @Test func variablesAreFoundUntilTheyAreRemoved() async {
    // In a process of its own: the environment belongs to all threads.
    await #expect(processExitsWith: .success) {
      setenv("NVMED_TEST_VARIABLE", "some value", 1)
      guard ProcessEnvironment.value("NVMED_TEST_VARIABLE") == "some value" else { exit(1) }
      ProcessEnvironment.remove("NVMED_TEST_VARIABLE")
      guard ProcessEnvironment.value("NVMED_TEST_VARIABLE") == nil, getenv("NVMED_TEST_VARIABLE") == nil else {
        exit(2)
      }
    }
  }

  @Test func pathsBeginAtTheRoot() async {
    #expect(ProcessEnvironment.absolutePath("/a/b") == "/a/b")
    await #expect(processExitsWith: .success) {
      guard chdir("/proc/self") == 0, let folder = ProcessEnvironment.workingFolder else { exit(1) }
      guard folder == "/proc/\(getpid())", ProcessEnvironment.absolutePath("a/b") == folder + "/a/b" else { exit(2) }
    }
  }

  @Test func openFilesCanBeRaisedToTheHardLimit() async {
    await #expect(processExitsWith: .success) {
      guard let hard = OpenFileLimit.hard, hard > 64 else { exit(1) }
      var lower = rlimit(rlim_cur: 64, rlim_max: rlim_t(hard))
      guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lower) == 0 else { exit(2) }
      OpenFileLimit.raise()
      guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lower) == 0, lower.rlim_cur == hard else { exit(3) }
    }
  }
}
