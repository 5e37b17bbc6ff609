import Glibc
import Synchronization

#if !NVMED_TSAN

  /// A value that one thread at a time may use.
  ///
  /// For control, never for commands. It is `Synchronization.Mutex`; in builds with ThreadSanitizer, which does not see
  /// the locks of that library and would report every value behind one as a race, it is a mutex of POSIX threads.
  public struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>

    /// Locks `value` up.
    @inlinable
    public init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Waits until no other thread uses the value, and gives it to `body`.
    ///
    /// Not from within another `withLock` of the same value, which would wait for itself.
    ///
    /// - Throws: what `body` throws.
    @inlinable
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
      _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
      try mutex.withLock(body)
    }
  }

#else

  /// A value that one thread at a time may use, by a mutex that ThreadSanitizer sees.
  @safe public struct Locked<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// Locks `value` up.
    public init(_ value: consuming sending Value) {
      unsafe mutex = .allocate(capacity: 1)
      unsafe pthread_mutex_init(mutex, nil)
      unsafe self.value = .allocate(capacity: 1)
      unsafe self.value.initialize(to: value)
    }

    deinit {
      unsafe value.deinitialize(count: 1)
      unsafe value.deallocate()
      unsafe pthread_mutex_destroy(mutex)
      unsafe mutex.deallocate()
    }

    /// Waits until no other thread uses the value, and gives it to `body`.
    ///
    /// - Throws: what `body` throws.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
      _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
      unsafe pthread_mutex_lock(mutex)
      defer { unsafe pthread_mutex_unlock(mutex) }
      return try unsafe body(&value.pointee)
    }
  }

#endif
