#pragma once

#include <string>

#include "operator/cli/trust_files.hpp"

/// `otaria key create|list|show|export`.
namespace otaria::cli {

struct CreateKeyArguments {
  std::string role;  ///< root or release
  std::string algorithm = "ES256";
  std::string out;  ///< a file, or
  std::string key;  ///< a place in a token: `pkcs11:…`
  KeyOptions options;
};
int create_key(Context& context, const CreateKeyArguments& arguments);

struct ListKeysArguments {
  std::string folder;    ///< key files in it; empty: the keys of a list
  std::string key_list;  ///< file; empty: the server's
};
int list_keys(Context& context, const ListKeysArguments& arguments);

struct ShowKeyArguments {
  std::string key;       ///< a reference, or the id of a key in the list
  std::string key_list;  ///< file that also says the role and the state; empty: not asked
  std::string format = "pem";
  std::string out;
  KeyOptions options;
};
int show_key(Context& context, const ShowKeyArguments& arguments);
int export_key(Context& context, const ShowKeyArguments& arguments);

}  // namespace otaria::cli
