/// Which pages of guest memory are in use: first fit, in windows that an allocation does not cross.
struct PageAllocator {
  /// Ranges of pages whose addresses are contiguous for the device; in order, without gaps between them.
  let windows: [Range<Int>]
  private var used: [Bool]

  /// All pages free. `windows` begin at page 0 and follow each other.
  init(windows: [Range<Int>]) {
    self.windows = windows
    used = [Bool](repeating: false, count: windows.last?.upperBound ?? 0)
  }

  /// How many pages are free.
  var freeCount: Int { used.count { !$0 } }

  /// Takes `count` pages that follow each other; their first, or nil where there are none.
  ///
  /// - Parameter acrossWindows: whether they may lie in more than one window.
  mutating func allocate(_ count: Int, acrossWindows: Bool = false) -> Int? {
    guard count > 0 else { return nil }
    let candidates = acrossWindows ? [0..<used.count] : windows
    for window in candidates where window.count >= count {
      var start = window.lowerBound
      var page = start
      while page < window.upperBound {
        if used[page] { start = page + 1 }
        page += 1
        if page - start == count {
          for index in start..<page { used[index] = true }
          return start
        }
      }
    }
    return nil
  }

  /// Gives pages back that `allocate` gave.
  mutating func free(_ pages: Range<Int>) {
    for page in pages {
      precondition(used[page], "page \(page) is free already")
      used[page] = false
    }
  }
}
