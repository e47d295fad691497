#pragma once

#include <string>

#include "contract/digest.hpp"

namespace otaria::simulator {

/// A fresh self-signed certificate with its key; PEM.
struct TestCertificate {
  struct Wish {
    std::string names = "DNS:localhost,IP:127.0.0.1";
    long begins_s = -3600;  ///< from now
    long ends_s = 86400;    ///< from now
  };
  std::string certificate_pem;
  std::string key_pem;

  /// For localhost and 127.0.0.1, valid for a day.
  static TestCertificate make() { return make(Wish{}); }
  static TestCertificate make(const Wish& wish);
  /// SHA-256 of its SubjectPublicKeyInfo.
  [[nodiscard]] contract::Digest pin() const;
};

}  // namespace otaria::simulator
