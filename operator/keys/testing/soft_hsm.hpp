#pragma once

#include <string>

namespace otaria::keys::testing {

/// A SoftHSM 2 of a test's own: its configuration and its tokens lie in a folder below the test's,
/// and SOFTHSM2_CONF points there as long as this object lives.
/// Throws std::runtime_error when softhsm2-util cannot be run. Thread  one at a time: the
/// environment belongs to the process.
class SoftHsm {
 public:
  /// With one token of this label, PIN `pin()`.
  explicit SoftHsm(const std::string& token_label);
  ~SoftHsm();
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;

  void add_token(const std::string& label);
  /// `pkcs11:token=…;object=…?module-path=…&pin-source=…` of an object in the token.
  [[nodiscard]] std::string uri(const std::string& token, const std::string& object) const;
  [[nodiscard]] const std::string& pin_file() const { return pin_file_; }
  [[nodiscard]] const std::string& configuration() const { return configuration_; }
  static const char* pin() { return "314159"; }
  static const char* module();

 private:
  std::string folder_;
  std::string configuration_;
  std::string pin_file_;
};

/// A new folder of this process alone below the test's temporary one.
std::string new_folder(const std::string& name);
/// Writes `text` with these permission bits and returns `path`.
std::string write_file(const std::string& path, const std::string& text, unsigned mode = 0600);

}  // namespace otaria::keys::testing
