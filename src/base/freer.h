// Freer: lets a C library's own function free what a unique_ptr holds.
#pragma once

namespace flyball {

// std::unique_ptr<SSL, Freer<SSL_free>>
template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* what) const {
    kFree(what);
  }
};

}  // namespace flyball
