#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/keys/key_error.hpp"
#include "operator/keys/key_reference.hpp"
#include "operator/keys/secret.hpp"

/// PKCS#11 by hand: a module that is loaded, a token in it, a session with it. For the sources of
/// this folder; token_key.hpp is what others use.
/// Source  PKCS #11 Cryptographic Token Interface Base Specification 2.40; reference trust,
///         section 16.
namespace otaria::keys {

/// A loaded module. One per path and process: Cryptoki is initialised once. It is finalised when
/// the last user goes, and never unloaded: modules leave threads and exit handlers behind.
class CryptokiModule {
 public:
  /// Throws KeyError (`pkcs11_module`).
  static std::shared_ptr<CryptokiModule> load(const std::string& path);
  ~CryptokiModule();
  CryptokiModule(const CryptokiModule&) = delete;
  CryptokiModule& operator=(const CryptokiModule&) = delete;

  [[nodiscard]] CK_FUNCTION_LIST& calls() const { return *calls_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  CryptokiModule(std::string path, CK_FUNCTION_LIST* calls)
      : path_{std::move(path)}, calls_{calls} {}
  std::string path_;
  CK_FUNCTION_LIST* calls_;
  bool initialised_by_us_ = false;
};

/// The slot of the one token that the reference names.
struct FoundToken {
  CK_SLOT_ID slot = 0;
  std::string label;
  bool needs_login = false;
  bool has_keypad = false;    ///< CKF_PROTECTED_AUTHENTICATION_PATH: it asks for the PIN itself
  bool last_pin_try = false;  ///< a wrong PIN now locks it
};
/// Throws KeyError: `token_not_found` (names those there are), `ambiguous_token`.
FoundToken find_token(const CryptokiModule& module, const TokenReference& reference);

/// A session with a token. Thread  one at a time.
class TokenSession {
 public:
  /// `writable`: objects can be made. Throws KeyError (`pkcs11_failed`).
  TokenSession(std::shared_ptr<CryptokiModule> module, FoundToken token, bool writable);
  ~TokenSession();
  TokenSession(const TokenSession&) = delete;
  TokenSession& operator=(const TokenSession&) = delete;

  /// Once; further calls do nothing. A wrong PIN is tried once, never again: tokens lock.
  /// Throws KeyError: `pin_required`, `wrong_pin`, `pin_locked`.
  void login(const SecretSources& secrets, const std::string& pin_file);
  /// For keys that ask for the PIN at every use (CKA_ALWAYS_AUTHENTICATE).
  void login_for_this_signature();

  std::vector<CK_OBJECT_HANDLE> find(CK_OBJECT_CLASS wanted,
                                     const std::string& label,
                                     const std::string& id);
  /// Nothing when the object has no such attribute or hides it.
  std::optional<std::vector<std::uint8_t>> attribute(CK_OBJECT_HANDLE object,
                                                     CK_ATTRIBUTE_TYPE type);
  /// An attribute that is one number.
  std::optional<CK_ULONG> number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

  [[nodiscard]] CK_FUNCTION_LIST& calls() const { return module_->calls(); }
  [[nodiscard]] CK_SESSION_HANDLE handle() const { return session_; }
  [[nodiscard]] const FoundToken& token() const { return token_; }

 private:
  CK_RV try_login(CK_USER_TYPE user);
  std::shared_ptr<CryptokiModule> module_;
  FoundToken token_;
  CK_SESSION_HANDLE session_ = 0;
  bool logged_in_ = false;
  Secret pin_;
};

/// Throws `pkcs11_failed` with the call's name and the code's, unless `result` is CKR_OK.
void check(CK_RV result, std::string_view call);
KeyError cryptoki_error(CK_RV result, std::string_view call);

}  // namespace otaria::keys
