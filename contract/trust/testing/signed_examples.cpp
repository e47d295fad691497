#include "contract/trust/testing/signed_examples.hpp"

namespace otaria::contract::testing {

const std::string known_manifest =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6IjdiYzE2ZTZhZjA4M2YwNTUiLCJ0eXAiOiJvdGFyaWEtbWFuaWZlc3QrandzIn0."
    "eyJidWlsZCI6IjRmMWMyYTliN2QzZTgwNTYiLCJjaGlwIjoiZXNwMzJzMyIsImV4cGlyZXMiOjE4MjE1MzYwMDAsImZtdC"
    "I6MSwiaGFyZHdhcmUiOlsiZXNwMzJzMy04bWIiXSwiaXNzdWVkIjoxNzkwMDAwMDAwLCJrZXlzIjoyLCJtaW5fdmVyc2lv"
    "biI6IjEuMi4wIiwicHJvZHVjdCI6InNlbnNvciIsInJlbGVhc2UiOiIwMUpEOFo2VDlLM001UTdTOVYxWDNaNUI3RCIsIn"
    "NlY3VyaXR5X2NvdW50ZXIiOjMsInNoYTI1NiI6IjlmODZkMDgxODg0YzdkNjU5YTJmZWFhMGM1NWFkMDE1YTNiZjRmMWIy"
    "YjBiODIyY2QxNWQ2YzE1YjBmMDBhMDgiLCJzaXplIjo5MjI4MDksInZlcnNpb24iOiIxLjQuMCJ9."
    "s3b8mYPpqFj1hFniVhDSznQpJ_YMWACpCAvRPOPvWN_8BwQJyuO5A9EDWmq26_I1ERvK0LR0rqwWJFZutbr67w";
const std::string known_public_key =
    "18C6jLQx3_dJX2y0J_CPzHV28-QLfEsgLOtPGN7DR09jgz-6QbSyIhcp4pujPJ12bDQmPy3zacyB6W5OZCVVJQ";
const std::string known_key_id = "7bc16e6af083f055";
const std::string known_payload_sha256 =
    "e4aa61d3b44420cf96c553438b465f3ef2524a6605bcc267962ce91377d0735a";

namespace {

void append_keys(std::string& json,
                 const std::vector<const PrivateKey*>& keys,
                 std::string_view role) {
  for (const PrivateKey* key : keys) {
    const crypto::PublicKey& half = key->public_key();
    if (json.back() == '}') json += ',';
    json += R"({"alg":")" + std::string{name_of(half.algorithm)} + R"(","kid":")" + half.key_id() +
            R"(","pub":")" + half.base64url() + R"(","roles":[")" + std::string{role} + R"("]})";
  }
}

std::string member(std::string_view name, std::uint32_t value) {
  return "\"" + std::string{name} + "\":" + std::to_string(value) + ",";
}
std::string member(std::string_view name, const std::string& value) {
  return "\"" + std::string{name} + "\":\"" + value + "\",";
}

}  // namespace

std::string KeyListText::json() const {
  std::string text = "{" + member("epoch", epoch) + member("expires", expires) + "\"floor\":{" +
                     floor + "}," + member("fmt", fmt) + member("issued", issued) + "\"keys\":[";
  append_keys(text, roots, "root");
  append_keys(text, releases, "release");
  text += "],\"pins\":{" + pins + "},\"revoked\":[";
  for (std::size_t i = 0; i < revoked.size(); ++i) {
    text += (i == 0 ? "\"" : ",\"") + revoked[i] + "\"";
  }
  return text + "]," + member("serial", serial) + R"("threshold":{"order":0,)" +
         member("release", release_threshold) + "\"root\":" + std::to_string(root_threshold) + "}" +
         more + "}";
}

std::string ManifestText::json() const {
  return "{" + member("build", build) + member("chip", chip) + member("expires", expires) +
         member("fmt", fmt) + (hardware.empty() ? "" : "\"hardware\":" + hardware + ",") +
         member("issued", issued) + member("keys", keys) + member("product", product) +
         member("release", release) + member("security_counter", security_counter) +
         member("sha256", sha256) + member("size", size) + "\"version\":\"" + version + "\"" +
         more + "}";
}

std::string signed_file(std::string_view type,
                        const std::string& payload,
                        const std::vector<PrivateKey*>& signers) {
  std::string file;
  for (PrivateKey* signer : signers) {
    file += (file.empty() ? crypto::compact_jws(type, payload, *signer)
                          : crypto::detached_jws(type, payload, *signer)) +
            "\n";
  }
  return file;
}

}  // namespace otaria::contract::testing
