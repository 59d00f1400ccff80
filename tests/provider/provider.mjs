// An OpenID provider for tests: node provider.mjs PORT REDIRECT_URI. Any name and any password log in. The name decides
// what is told: "unverified-..." has an address that nobody has verified, "mod-..." is in the group of moderators, and
// "chief-..." in that of administrators.
import * as oidc from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const groups = (name) =>
  name.startsWith("mod-") ? ["moderators"] : name.startsWith("chief-") ? ["admins"] : [];

const provider = new oidc.Provider(issuer, {
  clients: [
    {
      client_id: "test seawall",
      client_secret: "a test secret: with / and %",
      redirect_uris: [redirect],
      token_endpoint_auth_method: "client_secret_basic",
    },
  ],
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  cookies: { keys: ["of tests only"] },
  findAccount: (_context, name) => ({
    accountId: name,
    claims: () => ({
      sub: name,
      email: `${name}@example.test`,
      email_verified: !name.startsWith("unverified-"),
      preferred_username: name,
      groups: groups(name),
    }),
  }),
  pkce: { required: () => true },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
