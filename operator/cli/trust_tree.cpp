#include "operator/cli/trust_tree.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "operator/cli/image_tree.hpp"
#include "operator/cli/key_rotation_verbs.hpp"
#include "operator/cli/key_verbs.hpp"
#include "operator/cli/keylist_verbs.hpp"

namespace otaria::cli {
namespace {

constexpr unsigned most_days = 3650;
constexpr const char* key_forms =
    "A key file, 'pkcs11:token=…;object=…?pin-source=file:…', or cmd:PROGRAM?public=FILE";

template <typename Run>
void on_parse(CLI::App* verb, Request& request, Run run) {
  verb->callback([&request, run] { request.verb = run; });
}

CLI::App* add_group(CLI::App& app, const char* name, const char* what) {
  CLI::App* group = app.add_subcommand(name, what);
  group->require_subcommand(1);
  return group;
}

void add_days(CLI::App& verb, unsigned& days, const char* what) {
  verb.add_option("--expires", days, what)
      ->type_name("DAYS")
      ->check(CLI::Range(1U, most_days))
      ->capture_default_str();
}

void add_many(CLI::App& verb,
              const char* name,
              std::vector<std::string>& values,
              const char* what,
              const char* type) {
  verb.add_option(name, values, what)->type_name(type)->allow_extra_args(false);
}

void add_list_file(CLI::App& verb, std::string& file, const char* what) {
  verb.add_option("--keylist", file, what)->type_name("FILE");
}

void add_create(CLI::App& group, Request& request) {
  auto a = std::make_shared<CreateKeyArguments>();
  CLI::App* verb = add_verb(group,
                            "create",
                            "Make a signing key, in a file or in a token",
                            "otaria key create --role release --out release.key");
  verb->add_option("--role", a->role, "What it signs: key lists (root) or manifests (release)")
      ->required()
      ->type_name("ROLE")
      ->check(CLI::IsMember({"root", "release"}));
  verb->add_option("--alg", a->algorithm, "ES256 (P-256), or PS256 (RSA with 3,072 bits)")
      ->type_name("ALG")
      ->check(CLI::IsMember({"ES256", "PS256"}))
      ->capture_default_str();
  verb->add_option("--out", a->out, "Key file to write, encrypted, mode 0600")->type_name("FILE");
  verb->add_option("--key", a->key, "Place in a token: 'pkcs11:token=…;object=…'")
      ->type_name("REF");
  add_key_options(*verb, a->options);
  on_parse(verb, request, [a](Context& context) { return create_key(context, *a); });
}

void add_list(CLI::App& group, Request& request) {
  auto a = std::make_shared<ListKeysArguments>();
  CLI::App* verb = add_verb(group,
                            "list",
                            "List the keys of a key list, or the key files in a folder",
                            "otaria key list");
  verb->add_option("folder", a->folder, "Folder with key files (none: keys of the key list)")
      ->type_name("DIR");
  add_list_file(*verb, a->key_list, "Key list (none: the server's)");
  on_parse(verb, request, [a](Context& context) { return list_keys(context, *a); });
}

CLI::App* add_looking_verb(CLI::App& group,
                           const char* name,
                           const char* what,
                           const std::string& example,
                           ShowKeyArguments& a) {
  CLI::App* verb = add_verb(group, name, what, example);
  verb->add_option("key", a.key, "A key file, pkcs11:…, a public key, or a key id of the list")
      ->required()
      ->type_name("REF|FILE");
  add_list_file(*verb, a.key_list, "Key list that says role and state");
  add_key_options(*verb, a.options);
  return verb;
}

void add_show_and_export(CLI::App& group, Request& request) {
  {
    auto a = std::make_shared<ShowKeyArguments>();
    CLI::App* verb = add_looking_verb(group,
                                      "show",
                                      "Show a key's id, role, algorithm and public half",
                                      "otaria key show release.key",
                                      *a);
    on_parse(verb, request, [a](Context& context) { return show_key(context, *a); });
  }
  auto a = std::make_shared<ShowKeyArguments>();
  CLI::App* verb = add_looking_verb(group,
                                    "export",
                                    "Write a key's public half alone",
                                    "otaria key export release.key --out release.pub.pem",
                                    *a);
  verb->add_option("--format", a->format, "pem, or base64url as key lists have it")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"pem", "base64url"}))
      ->capture_default_str();
  verb->add_option("--out", a->out, "Where to (none: standard output)")->type_name("FILE");
  on_parse(verb, request, [a](Context& context) { return export_key(context, *a); });
}

void add_changes(CLI::App& verb, ListChanges& changes) {
  add_days(verb, changes.days, "Days until devices ask for a newer list");
  add_many(verb, "--floor", changes.floors, "Lowest security counter of a product", "PRODUCT=N");
  verb.add_option("--threshold-root", changes.root_threshold, "Roots that must sign a list")
      ->type_name("N");
  verb.add_option(
          "--threshold-release", changes.release_threshold, "Keys that must sign a manifest")
      ->type_name("N");
}

template <class Arguments>
void add_next_list_options(CLI::App& verb, Arguments& a) {
  verb.add_option("--from", a.from, "The key list in force (none: the server's)")
      ->type_name("FILE");
  verb.add_flag("--dry-run", a.dry_run, "Only say which devices would be left behind");
  verb.add_flag(
      "--leave-behind", a.leave_behind, "Go on though devices can then follow only by cable");
  verb.add_option("--out", a.out, "File to write (none: keys-SERIAL.json)")->type_name("FILE");
  add_changes(verb, a.changes);
  add_key_options(verb, a.options);
}

void add_rotate(CLI::App& group, Request& request) {
  auto a = std::make_shared<RotateKeyArguments>();
  CLI::App* verb =
      add_verb(group,
               "rotate",
               "Exchange a key in two halves: list the new one; later drop the old one",
               "otaria key rotate 7bc16e6af083f055 --new release-2027.key\n"
               "  otaria key rotate 7bc16e6af083f055 --finish");
  verb->add_option("old", a->old_key, "Id of the key that is to go")->type_name("KID");
  verb->add_option("--new", a->new_key, key_forms)->type_name("REF");
  verb->add_flag("--finish", a->finish, "Take the old key out of the list");
  verb->add_option("--role", a->role, "Of the new key, where nothing says it")
      ->type_name("ROLE")
      ->check(CLI::IsMember({"root", "release"}));
  add_next_list_options(*verb, *a);
  on_parse(verb, request, [a](Context& context) { return rotate_key(context, *a); });
}

void add_revoke(CLI::App& group, Request& request) {
  auto a = std::make_shared<RevokeKeyArguments>();
  CLI::App* verb = add_verb(group,
                            "revoke",
                            "Make the key list without a stolen key",
                            "otaria key revoke 7bc16e6af083f055 --replace release-2027.key "
                            "--floor sensor=4");
  verb->add_option("key", a->key_id, "Its id")->required()->type_name("KID");
  verb->add_option("--replace", a->replacement, "Key that takes its place at once")
      ->type_name("REF");
  add_next_list_options(*verb, *a);
  on_parse(verb, request, [a](Context& context) { return revoke_key(context, *a); });
}

void add_make(CLI::App& group, Request& request) {
  auto a = std::make_shared<MakeListArguments>();
  CLI::App* verb = add_verb(group,
                            "make",
                            "Make a key list for the roots to sign",
                            "otaria keylist make --root a.key --root b.key --root c.key "
                            "--release release.key");
  verb->add_option("--from", a->from, "The list before (none: a first list)")->type_name("FILE");
  add_many(*verb, "--root", a->roots, "Root key; may be repeated", "REF");
  add_many(*verb, "--release", a->releases, "Release key; may be repeated", "REF");
  add_many(*verb,
           "--pin",
           a->changes.pins,
           "TLS pin of a host: base64url SHA-256 of its SubjectPublicKeyInfo; name two",
           "HOST=SPKI");
  verb->add_option("--epoch", a->changes.epoch, "Raise it to set security counters back")
      ->type_name("N");
  verb->add_option("--out", a->out, "File to write (none: keys-SERIAL.json)")->type_name("FILE");
  add_changes(*verb, a->changes);
  add_key_options(*verb, a->options);
  on_parse(verb, request, [a](Context& context) { return make_key_list(context, *a); });
}

void add_sign(CLI::App& group, Request& request) {
  auto a = std::make_shared<SignListArguments>();
  CLI::App* verb = add_verb(group,
                            "sign",
                            "Add a root's signature to a key list; needs no network",
                            "otaria keylist sign keys-1.json --key root-a.key");
  verb->add_option("file", a->file, "The list: keys-N.json, or keys-N.jws that others have signed")
      ->required()
      ->type_name("FILE");
  verb->add_option("--key", a->key, key_forms)->required()->type_name("REF");
  verb->add_option("--against", a->against, "The list before, where the key is a root of it alone")
      ->type_name("FILE");
  verb->add_option("--out", a->out, "Where to (none: the file, or its name with .jws)")
      ->type_name("FILE");
  add_key_options(*verb, a->options);
  on_parse(verb, request, [a](Context& context) { return sign_key_list(context, *a); });
}

struct ListFiles {
  std::string file, against;
};

void add_show_verify_publish(CLI::App& group, Request& request) {
  {
    auto a = std::make_shared<ListFiles>();
    CLI::App* verb =
        add_verb(group, "show", "Show a key list and who has signed it", "otaria keylist show");
    verb->add_option("file", a->file, "The list (none: the server's)")->type_name("FILE");
    verb->add_option("--against", a->against, "The list before, to know its roots")
        ->type_name("FILE");
    on_parse(verb, request, [a](Context& context) {
      return show_key_list(context, a->file, a->against);
    });
  }
  {
    auto a = std::make_shared<ListFiles>();
    CLI::App* verb = add_verb(group,
                              "verify",
                              "Judge a key list by the device's own rules",
                              "otaria keylist verify keys-2.jws --against keys-1.jws");
    verb->add_option("file", a->file, "The list")->required()->type_name("FILE");
    verb->add_option("--against", a->against, "The list that devices hold")->type_name("FILE");
    on_parse(verb, request, [a](Context& context) {
      return verify_key_list(context, a->file, a->against);
    });
  }
  auto file = std::make_shared<std::string>();
  CLI::App* verb = add_verb(group,
                            "publish",
                            "Give a signed key list to the server",
                            "otaria keylist publish keys-1.jws");
  verb->add_option("file", *file, "The signed list")->required()->type_name("FILE");
  on_parse(verb, request, [file](Context& context) { return publish_key_list(context, *file); });
}

}  // namespace

void add_key_options(CLI::App& verb, KeyOptions& options) {
  add_many(verb,
           "--passphrase-file",
           options.passphrase_files,
           "File with the passphrase (else OTARIA_KEY_PASSPHRASE, else you are asked)",
           "FILE");
  verb.add_flag("--development", options.development, "Take key files that are not encrypted");
}

void add_signing_options(CLI::App& verb, SigningArguments& how) {
  add_many(verb, "--key", how.keys, key_forms, "REF");
  verb.add_option_function<std::string>(
          "--signer-cmd",
          [&how](const std::string& program) { how.keys.push_back("cmd:" + program); },
          "Program that signs, with its public key: PROGRAM?public=FILE")
      ->type_name("PROGRAM");
  add_list_file(verb, how.key_list, "Key list to sign by (none: the server's)");
  add_key_options(verb, how.options);
}

void add_manifest_options(CLI::App& verb, ManifestArguments& what) {
  verb.add_option("--version",
                  what.version,
                  "MAJOR.MINOR.PATCH; needed unless the image's descriptor has one")
      ->type_name("V");
  verb.add_option("--product", what.product, "What it is for (sensor)")->type_name("P");
  add_many(
      verb, "--hardware", what.hardware, "Hardware it runs on; may be repeated (none: any)", "H");
  verb.add_option("--channel", what.channel, "stable, beta, …; images for development: dev")
      ->type_name("C");
  verb.add_option("--min-version", what.min_version, "Oldest version that may take this step")
      ->type_name("V");
  add_days(verb, what.days, "Signed: days until devices refuse to install it");
  CLI::Option* counter =
      verb.add_option("--security-counter",
                      what.security_counter,
                      "Signed: devices never go below it again (the product's highest)")
          ->type_name("N");
  verb.add_flag("--security-fix", what.security_fix, "Raise the security counter by one")
      ->excludes(counter);
  verb.add_option("--keys-serial",
                  what.keys_serial,
                  "Signed: serial of the oldest key list that may judge it (the key list's)")
      ->type_name("N");
}

void add_trust_verbs(CLI::App& app, Request& request) {
  CLI::App* key = add_group(app, "key", "Signing keys: make them, look at them, exchange them");
  add_create(*key, request);
  add_list(*key, request);
  add_show_and_export(*key, request);
  add_rotate(*key, request);
  add_revoke(*key, request);
  CLI::App* list = add_group(app, "keylist", "Key lists: what the fleet trusts, under the roots");
  add_make(*list, request);
  add_sign(*list, request);
  add_show_verify_publish(*list, request);
}

void add_release_signing_verbs(CLI::App& release, Request& request) {
  {
    auto a = std::make_shared<SignReleaseArguments>();
    CLI::App* verb = add_verb(release,
                              "sign",
                              "Sign an image's manifest into a file, for a later upload",
                              "otaria release sign firmware.bin --key release.key --out "
                              "manifest.jws\n  otaria release sign --add manifest.jws --key "
                              "second.key");
    verb->add_option("file", a->file, "The image: the .bin file of the build")->type_name("FILE");
    verb->add_option("--out", a->out, "Manifest to write")->type_name("FILE");
    verb->add_option("--add", a->add, "Manifest that gets a further signature")->type_name("FILE");
    add_manifest_options(*verb, a->what);
    add_signing_options(*verb, a->how);
    on_parse(verb, request, [a](Context& context) { return sign_release_verb(context, *a); });
  }
  struct Upload {
    std::string file, manifest, notes;
  };
  auto a = std::make_shared<Upload>();
  CLI::App* verb = add_verb(release,
                            "upload",
                            "Upload an image with a manifest that is signed already",
                            "otaria release upload firmware.bin --manifest manifest.jws");
  verb->add_option("file", a->file, "The image")->required()->type_name("FILE");
  verb->add_option("--manifest", a->manifest, "Its signed manifest")->required()->type_name("FILE");
  verb->add_option("--notes", a->notes, "What has changed")->type_name("TEXT");
  on_parse(verb, request, [a](Context& context) {
    return upload_release_verb(context, a->file, a->manifest, a->notes);
  });
}

}  // namespace otaria::cli
