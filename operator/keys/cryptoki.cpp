#include "operator/keys/cryptoki.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace otaria::keys {
namespace {

struct ResultName {
  CK_RV result;
  const char* name;
};
constexpr std::array result_names{
    ResultName{CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
    ResultName{CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
    ResultName{CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
    ResultName{CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
    ResultName{CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
    ResultName{CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID"},
    ResultName{CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID"},
    ResultName{CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
    ResultName{CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
    ResultName{CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
    ResultName{CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
    ResultName{CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
    ResultName{CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT"},
    ResultName{CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
    ResultName{CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID"},
    ResultName{CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY"},
    ResultName{CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT"},
    ResultName{CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
    ResultName{CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED"},
    ResultName{CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
    ResultName{CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
};

std::string name_of(CK_RV result) {
  const auto known = std::find_if(result_names.begin(), result_names.end(), [&](const auto& row) {
    return row.result == result;
  });
  return known != result_names.end() ? known->name
                                     : fmt::format("0x{:08x}", static_cast<unsigned long>(result));
}

KeyError module_error(const std::string& path, const std::string& why) {
  return usage_error(
      "pkcs11_module",
      fmt::format("The PKCS#11 module {} cannot be used: {}.", path, why),
      fmt::format("Name the maker's module with ?module-path=PATH or {}.", module_variable));
}

/// A field of fixed size, padded with blanks (PKCS #11, section 3.1).
template <std::size_t Size>
std::string unpadded(const unsigned char (&field)[Size]) {
  const std::string text{reinterpret_cast<const char*>(field), Size};
  const std::size_t last = text.find_last_not_of(std::string_view{" \0", 2});
  return last == std::string::npos ? std::string{} : text.substr(0, last + 1);
}

bool matches(const CK_TOKEN_INFO& info, CK_SLOT_ID slot, const TokenReference& wanted) {
  const auto same = [](const std::string& want, const std::string& have) {
    return want.empty() || want == have;
  };
  return same(wanted.token, unpadded(info.label)) &&
         same(wanted.serial, unpadded(info.serialNumber)) &&
         same(wanted.manufacturer, unpadded(info.manufacturerID)) &&
         same(wanted.model, unpadded(info.model)) && (!wanted.slot || *wanted.slot == slot);
}

std::vector<CK_SLOT_ID> slots_of(CK_FUNCTION_LIST& calls) {
  CK_ULONG count = 0;
  check(calls.C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  check(calls.C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(std::min<std::size_t>(count, slots.size()));
  return slots;
}

/// p11-kit's proxy: by the name that its package for developers links, else the library itself,
/// which is the same object.
void* open_object(const std::string& path) {
  void* object = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr && path == "p11-kit-proxy.so")
    object = ::dlopen("libp11-kit.so.0", RTLD_NOW | RTLD_LOCAL);
  return object;
}

}  // namespace

KeyError cryptoki_error(CK_RV result, std::string_view call) {
  return refusal("pkcs11_failed",
                 fmt::format("The token answered {} with {}.", call, name_of(result)),
                 "Check that it is plugged in and that its maker's module is the right one.");
}

void check(CK_RV result, std::string_view call) {
  if (result != CKR_OK) throw cryptoki_error(result, call);
}

std::shared_ptr<CryptokiModule> CryptokiModule::load(const std::string& path) {
  static std::map<std::string, std::weak_ptr<CryptokiModule>> loaded;
  if (auto held = loaded[path].lock()) return held;
  void* object = open_object(path);
  if (object == nullptr) {
    const char* why = ::dlerror();
    throw module_error(path, why != nullptr ? why : "it cannot be loaded");
  }
  void* symbol = ::dlsym(object, "C_GetFunctionList");
  if (symbol == nullptr) throw module_error(path, "it has no C_GetFunctionList");
  CK_FUNCTION_LIST* calls = nullptr;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(symbol);
  if (get(&calls) != CKR_OK || calls == nullptr) throw module_error(path, "it gives no functions");
  std::shared_ptr<CryptokiModule> module{new CryptokiModule(path, calls)};
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV started = calls->C_Initialize(&arguments);
  if (started != CKR_OK && started != CKR_CRYPTOKI_ALREADY_INITIALIZED)
    throw module_error(path, "C_Initialize says " + name_of(started));
  module->initialised_by_us_ = started == CKR_OK;
  loaded[path] = module;
  return module;
}

CryptokiModule::~CryptokiModule() {
  if (initialised_by_us_) calls_->C_Finalize(nullptr);
}

FoundToken find_token(const CryptokiModule& module, const TokenReference& reference) {
  CK_FUNCTION_LIST& calls = module.calls();
  std::vector<FoundToken> found;
  std::string seen;
  for (const CK_SLOT_ID slot : slots_of(calls)) {
    CK_TOKEN_INFO info{};
    if (calls.C_GetTokenInfo(slot, &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) != 0)
      seen += (seen.empty() ? "" : ", ") + unpadded(info.label);
    if (!matches(info, slot, reference)) continue;
    found.push_back({slot,
                     unpadded(info.label),
                     (info.flags & CKF_LOGIN_REQUIRED) != 0,
                     (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0,
                     (info.flags & CKF_USER_PIN_FINAL_TRY) != 0});
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw usage_error("token_not_found",
                      fmt::format("Module {} has no token that the reference fits; it has: {}.",
                                  module.path(),
                                  seen.empty() ? "none" : seen),
                      "Plug the token in, or correct token=…, serial=… or slot-id=….");
  }
  throw usage_error("ambiguous_token",
                    fmt::format("{} tokens fit the reference.", found.size()),
                    "Add serial=… or slot-id=….");
}

TokenSession::TokenSession(std::shared_ptr<CryptokiModule> module, FoundToken token, bool writable)
    : module_{std::move(module)}, token_{std::move(token)} {
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0);
  check(calls().C_OpenSession(token_.slot, flags, nullptr, nullptr, &session_), "C_OpenSession");
}

TokenSession::~TokenSession() {
  calls().C_CloseSession(session_);  // the last one logs out
}

CK_RV TokenSession::try_login(CK_USER_TYPE user) {
  if (token_.has_keypad) return calls().C_Login(session_, user, nullptr, 0);
  const std::string_view pin = pin_.view();
  std::vector<unsigned char> bytes{pin.begin(), pin.end()};
  const CK_RV result = calls().C_Login(session_, user, bytes.data(), bytes.size());
  ::OPENSSL_cleanse(bytes.data(), bytes.size());
  return result;
}

void TokenSession::login(const SecretSources& secrets, const std::string& pin_file) {
  if (logged_in_ || !token_.needs_login) return;
  if (!token_.has_keypad) pin_ = pin_for(secrets, pin_file, token_.label);
  const CK_RV result = try_login(CKU_USER);
  if (result == CKR_PIN_INCORRECT || result == CKR_PIN_INVALID || result == CKR_PIN_LEN_RANGE) {
    throw usage_error(
        "wrong_pin",
        fmt::format("Token {} does not take the PIN{}.",
                    token_.label,
                    token_.last_pin_try ? "; that was the last try before it locks" : ""),
        "Check the PIN before you try again: tokens lock after a few wrong ones.");
  }
  if (result == CKR_PIN_LOCKED) {
    throw refusal("pin_locked",
                  fmt::format("Token {} is locked after too many wrong PINs.", token_.label),
                  "Its security officer can set a new PIN.");
  }
  if (result != CKR_USER_ALREADY_LOGGED_IN) check(result, "C_Login");
  logged_in_ = true;
}

void TokenSession::login_for_this_signature() {
  check(try_login(CKU_CONTEXT_SPECIFIC), "C_Login");
}

std::vector<CK_OBJECT_HANDLE> TokenSession::find(CK_OBJECT_CLASS wanted,
                                                 const std::string& label,
                                                 const std::string& id) {
  std::string label_bytes = label;
  std::string id_bytes = id;
  std::vector<CK_ATTRIBUTE> pattern{{CKA_CLASS, &wanted, sizeof wanted}};
  if (!label.empty()) pattern.push_back({CKA_LABEL, label_bytes.data(), label_bytes.size()});
  if (!id.empty()) pattern.push_back({CKA_ID, id_bytes.data(), id_bytes.size()});
  check(calls().C_FindObjectsInit(session_, pattern.data(), pattern.size()), "C_FindObjectsInit");
  std::array<CK_OBJECT_HANDLE, 16> objects{};
  CK_ULONG count = 0;
  const CK_RV result = calls().C_FindObjects(session_, objects.data(), objects.size(), &count);
  calls().C_FindObjectsFinal(session_);
  check(result, "C_FindObjects");
  return {objects.begin(), objects.begin() + std::min<CK_ULONG>(count, objects.size())};
}

std::optional<std::vector<std::uint8_t>> TokenSession::attribute(CK_OBJECT_HANDLE object,
                                                                 CK_ATTRIBUTE_TYPE type) {
  constexpr CK_ULONG longest = 4096;
  CK_ATTRIBUTE wanted{type, nullptr, 0};
  if (calls().C_GetAttributeValue(session_, object, &wanted, 1) != CKR_OK) return std::nullopt;
  if (wanted.ulValueLen == CK_UNAVAILABLE_INFORMATION || wanted.ulValueLen > longest)
    return std::nullopt;
  std::vector<std::uint8_t> value(wanted.ulValueLen);
  wanted.pValue = value.data();
  if (calls().C_GetAttributeValue(session_, object, &wanted, 1) != CKR_OK) return std::nullopt;
  value.resize(std::min<std::size_t>(wanted.ulValueLen, value.size()));
  return value;
}

std::optional<CK_ULONG> TokenSession::number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ULONG value = 0;
  CK_ATTRIBUTE wanted{type, &value, sizeof value};
  if (calls().C_GetAttributeValue(session_, object, &wanted, 1) != CKR_OK) return std::nullopt;
  return wanted.ulValueLen == sizeof value ? std::optional{value} : std::nullopt;
}

}  // namespace otaria::keys
