// A shared mutex whose writer is not starved: while one waits, new readers queue behind it.
// (The system's own lets a stream of overlapping readers keep a writer out for ever.)
#pragma once

#include <mutex>
#include <shared_mutex>

namespace flyball::ledger {

class GatedMutex {
 public:
  void lock() {
    std::lock_guard gate(gate_);
    inner_.lock();
  }
  void unlock() { inner_.unlock(); }
  void lock_shared() {
    std::lock_guard gate(gate_);
    inner_.lock_shared();
  }
  void unlock_shared() { inner_.unlock_shared(); }

 private:
  std::mutex gate_;
  std::shared_mutex inner_;
};

}  // namespace flyball::ledger
