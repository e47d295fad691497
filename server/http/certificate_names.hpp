#pragma once

#include <openssl/types.h>

#include "server/http/tls_files.hpp"

namespace otaria::server {

/// For whom a certificate is and how long: its alternative names, or its common name when it has
/// none.
CertificateSummary summary_of(const X509* certificate);

}  // namespace otaria::server
