import tls from "node:tls";
import { generate } from "selfsigned";

/** What is the matter with a certificate. */
export type CertificateKind = "good" | "of another authority" | "expired" | "for another name";

const dayMs = 86_400_000;
const keys = { keyType: "ec", algorithm: "sha256" } as const;
let trusted: Promise<{ key: string; cert: string }> | undefined;

/** An authority that this process trusts from now on, whichever client it uses. */
function authority(): Promise<{ key: string; cert: string }> {
  trusted ??= newAuthority("Authority of the tests").then((made) => {
    tls.setDefaultCACertificates([...tls.getCACertificates(), made.cert]);
    return made;
  });
  return trusted;
}

export interface Certificate {
  key: string;
  cert: string;
  /** The certificate of whoever signed it. */
  authority: string;
}

/** A certificate for a server that is called `host`. */
export async function certificateFor(host: string, kind: CertificateKind): Promise<Certificate> {
  const ca = kind === "of another authority" ? await newAuthority("Somebody else") : await authority();
  const name = kind === "for another name" ? "elsewhere.test" : host;
  const from = Date.now() - (kind === "expired" ? 30 : 1) * dayMs;
  const { private: key, cert } = await generate([{ name: "commonName", value: name }], {
    ...keys,
    ca,
    notBeforeDate: new Date(from),
    notAfterDate: new Date(from + 10 * dayMs),
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: name }] }],
  });
  return { key, cert, authority: ca.cert };
}

async function newAuthority(name: string): Promise<{ key: string; cert: string }> {
  const { private: key, cert } = await generate([{ name: "commonName", value: name }], {
    ...keys,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { key, cert };
}
