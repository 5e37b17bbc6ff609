import Testing

@testable import Daemon

/// What the sandbox leaves open of the configured images.
@Suite struct ConfinementTests {
  private func images(_ paths: String..., folders: [String] = []) -> [String] {
    let configuration = DaemonConfiguration(
      imageFolders: folders,
      controllers: [
        ControllerConfiguration(name: "a", namespaces: paths.map { NamespaceConfiguration(imagePath: $0) })
      ])
    return Confinement.sandbox(configuration, file: nil).images
  }

  @Test func theFolderOfAnImageStaysOpen() throws {
    let folder = try TestFolder()
    let image = try folder.text("a.img", "")
    #expect(images(image) == [folder.path])
    #expect(images("/dev/null") == ["/dev/null"])
  }

  /// The kernel keeps each file that a rule names: an image that is removed and deleted would keep its space.
  @Test func anImageInAnImageFolderIsNotNamed() throws {
    let folder = try TestFolder()
    let other = try TestFolder()
    let inside = try folder.text("a.img", "")
    let outside = try other.text("b.img", "")
    #expect(images(inside, outside, folders: [folder.path]) == [folder.path, outside])
    #expect(images(inside, folders: [folder.path + "/"]) == [folder.path + "/"])
    // Another folder whose name begins the same is not the same.
    #expect(images(inside, folders: [String(folder.path.dropLast())]).contains(inside))
  }
}
