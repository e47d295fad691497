#pragma once

#include <string>

namespace otaria::simulator {

/// A fresh self-signed certificate for localhost and 127.0.0.1, valid for a day, with its key; PEM.
struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;

  /// SHA-256 of its SubjectPublicKeyInfo in base64, as pins are written.
  std::string pin;

  static TestCertificate make();
};

}  // namespace otaria::simulator
