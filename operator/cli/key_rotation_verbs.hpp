#pragma once

#include <string>

#include "operator/cli/keylist_verbs.hpp"

/// `otaria key rotate|revoke`: the next key list, made so that no device is left without a key.
namespace otaria::cli {

struct RotateKeyArguments {
  std::string old_key;  ///< id; may be empty with `new_key`: then a key is only added
  std::string new_key;  ///< reference: the first half, both keys are listed
  bool finish = false;  ///< the second half: the old key goes
  std::string role;     ///< of the new key; empty: the old key's, or what its file says
  std::string from;     ///< the list in force; empty: the server's
  bool dry_run = false;
  bool leave_behind = false;  ///< devices that only a cable can reach
  ListChanges changes;
  std::string out;
  KeyOptions options;
};
int rotate_key(Context& context, const RotateKeyArguments& arguments);

struct RevokeKeyArguments {
  std::string key_id;
  std::string replacement;  ///< reference; empty: none
  std::string from;
  bool dry_run = false;
  bool leave_behind = false;
  ListChanges changes;
  std::string out;
  KeyOptions options;
};
int revoke_key(Context& context, const RevokeKeyArguments& arguments);

}  // namespace otaria::cli
