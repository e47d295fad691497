#include "operator/keys/key_opener.hpp"

#include "operator/keys/key_error.hpp"
#include "operator/keys/signer_command.hpp"
#include "operator/keys/token_key.hpp"

namespace otaria::keys {
namespace {

crypto::PublicKey public_key_in_file(const std::string& path) {
  const KeyFileFacts facts = look_into_key_file(path);
  if (facts.public_key) return *facts.public_key;
  throw usage_error("no_key",
                    path + " holds no public key in PEM.",
                    "Get it from the key's owner: openssl pkey -pubout, or otaria key export.");
}

}  // namespace

std::unique_ptr<crypto::Signer> KeyOpener::open(const std::string& reference) {
  const KeyReference named = parse_key_reference(reference);
  if (const auto* token = std::get_if<TokenReference>(&named))
    return TokenKey::open(*token, options_.secrets);
  if (const auto* command = std::get_if<CommandReference>(&named)) {
    return std::make_unique<SignerCommand>(command->program,
                                           public_key_in_file(command->public_key_file));
  }
  return std::make_unique<crypto::PrivateKey>(
      open_key_file(std::get<FileReference>(named).path, options_, opened_files_++));
}

KeyOpener::Known KeyOpener::look_at(const std::string& reference) {
  const KeyReference named = parse_key_reference(reference);
  if (const auto* token = std::get_if<TokenReference>(&named))
    return {public_key_in_token(*token, options_.secrets), std::nullopt};
  if (const auto* command = std::get_if<CommandReference>(&named))
    return {public_key_in_file(command->public_key_file), std::nullopt};
  const std::string& path = std::get<FileReference>(named).path;
  const KeyFileFacts facts = look_into_key_file(path);
  if (facts.public_key) return {*facts.public_key, facts.role};
  return {open_key_file(path, options_, opened_files_++).public_key(), facts.role};
}

}  // namespace otaria::keys
