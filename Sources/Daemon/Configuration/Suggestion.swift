/// The one of `candidates` that `text` was probably meant to be, or `nil`.
///
/// Keys that differ in case, hyphens or underscores only are the same to a reader; else the nearest by edit distance,
/// when it is near; else one that `text` is the beginning or the end of, in whole words.
func suggestion(for text: String, among candidates: [String]) -> String? {
  guard text.utf8.count <= 64 else { return nil }
  let plain = plainLetters(text)
  if let same = candidates.first(where: { plainLetters($0) == plain }) { return same }
  let nearest = candidates.map { (candidate: $0, distance: editDistance(Array(text.utf8), Array($0.utf8))) }
    .min { $0.distance < $1.distance }
  if let nearest, nearest.distance <= max(1, text.utf8.count / 3) { return nearest.candidate }
  return candidates.first { $0.hasSuffix("_" + text) || $0.hasPrefix(text + "_") }
}

private func plainLetters(_ text: String) -> [UInt8] {
  text.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
}

/// How many bytes to insert, delete, replace or swap with their neighbour to turn `left` into `right`
/// (optimal string alignment).
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...right.count)
  for (row, byte) in left.enumerated() {
    var current = [row + 1]
    for (column, other) in right.enumerated() {
      var cost = min(previous[column + 1] + 1, current[column] + 1, previous[column] + (byte == other ? 0 : 1))
      if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
        cost = min(cost, beforePrevious[column - 1] + 1)
      }
      current.append(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[right.count]
}
