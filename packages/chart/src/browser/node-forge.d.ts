/** The part of forge that is used here; its own types are a package apart. */
declare module 'node-forge/lib/forge.js' {
  namespace forge {
    const options: { usePureJavaScript: boolean };
    namespace jsbn {
      class BigInteger {
        constructor(text: string, radix: number);
        toString(radix: number): string;
      }
    }
    namespace pki {
      namespace rsa {
        interface PrivateKey {
          readonly n: jsbn.BigInteger;
          readonly e: jsbn.BigInteger;
          readonly d: jsbn.BigInteger;
          readonly p: jsbn.BigInteger;
          readonly q: jsbn.BigInteger;
          readonly dP: jsbn.BigInteger;
          readonly dQ: jsbn.BigInteger;
          readonly qInv: jsbn.BigInteger;
          /** PKCS#1 v1.5 over bytes as characters; `null` signs them as they are. */
          sign(bytes: string, scheme: null): string;
        }
        function generateKeyPair(options: { bits: number; e: number }): { privateKey: PrivateKey };
      }
      function setRsaPrivateKey(...numbers: jsbn.BigInteger[]): rsa.PrivateKey;
    }
  }
  export default forge;
}
declare module 'node-forge/lib/rsa.js';
