import { z } from "zod";

/** What a registry says of an image. */
export type ImageLookup =
  | { readonly found: "image" }
  /** The registry answers, and nothing more was asked. */
  | { readonly found: "registry" }
  | { readonly found: "none" }
  /** It wants a login, or another one. */
  | { readonly found: "refused" }
  | { readonly found: "unknown"; readonly reason: string };

const SECONDS = 15;
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const tokenAnswer = z
  .object({ token: z.string().optional(), access_token: z.string().optional() })
  .transform(({ token, access_token }) => token ?? access_token);

/** Where an image is. */
export interface ImagePlace {
  /** Host, with its port if that is not 443. */
  readonly registry: string;
  /** Path of the repository in it. */
  readonly path: string;
  /** Undefined: there is none yet. */
  readonly digest: string | undefined;
}

/** Place of an image by its repository; that of Docker Hub where no host is named. */
export function placeOf(repository: string, digest?: string): ImagePlace {
  const [host = "", ...rest] = repository.split("/");
  const named = rest.length > 0 && (host.includes(".") || host.includes(":") || host === "localhost");
  if (named) return { registry: host, path: rest.join("/"), digest };
  return {
    registry: "docker.io",
    path: rest.length === 0 ? `library/${repository}` : repository,
    digest,
  };
}

/**
 * Asks a registry for an image by the distribution API, from here: what nodes reach is another question.
 *
 * @param login Base64 of `user:password`, for the registry or the token service that it names
 */
export async function lookUpImage(place: ImagePlace, login: string | undefined): Promise<ImageLookup> {
  const { registry } = place;
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  if (isLoopback(host)) return lookUpAt(`http://${host}`, place, login);
  const lookup = await lookUpAt(`https://${host}`, place, login);
  // A registry of a test cluster, by the address of its node: nobody has a login there.
  return lookup.found === "unknown" && /^\d+(\.\d+){3}:\d+$/.test(host)
    ? lookUpAt(`http://${host}`, place, undefined)
    : lookup;
}

async function lookUpAt(
  origin: string,
  { path, digest }: ImagePlace,
  login: string | undefined,
): Promise<ImageLookup> {
  const url = digest === undefined ? `${origin}/v2/` : `${origin}/v2/${path}/manifests/${digest}`;
  try {
    const first = await ask(url, undefined);
    const answer =
      first.status === 401
        ? await ask(url, await authorization(first.headers.get("www-authenticate") ?? "", path, login))
        : first;
    // Whoever may not see an image is not told whether it is there.
    if (answer.status === 401 || answer.status === 403)
      return digest === undefined && login === undefined ? { found: "registry" } : { found: "refused" };
    if (answer.status === 404) return { found: "none" };
    if (!answer.ok) return { found: "unknown", reason: `${origin} answers ${answer.status}` };
    return { found: digest === undefined ? "registry" : "image" };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { found: "unknown", reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

const ask = (url: string, authorization: string | undefined): Promise<Response> =>
  fetch(url, {
    method: "HEAD",
    headers: { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) },
    signal: AbortSignal.timeout(SECONDS * 1000),
  });

/** What the challenge of a registry asks for. */
async function authorization(
  challenge: string,
  path: string,
  login: string | undefined,
): Promise<string | undefined> {
  const basic = login === undefined ? undefined : `Basic ${login}`;
  const [, realm] = /^Bearer .*?realm="([^"]+)"/i.exec(challenge) ?? [];
  if (realm === undefined) return basic;
  const service = new URL(realm);
  // A password in the clear is for nobody but this machine.
  const mayHave = service.protocol === "https:" || isLoopback(service.host);
  service.searchParams.set("service", /service="([^"]*)"/i.exec(challenge)?.[1] ?? "");
  service.searchParams.set("scope", `repository:${path}:pull`);
  const answer = await fetch(service, {
    headers: basic === undefined || !mayHave ? {} : { authorization: basic },
    signal: AbortSignal.timeout(SECONDS * 1000),
  });
  if (!answer.ok) return undefined;
  const token = tokenAnswer.parse(await answer.json());
  return token === undefined ? undefined : `Bearer ${token}`;
}

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
