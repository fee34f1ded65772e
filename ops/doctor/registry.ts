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
  const host = hostOf(registry);
  if (isLoopback(host)) return lookUpAt(`http://${host}`, place, login);
  const lookup = await lookUpAt(`https://${host}`, place, login);
  // A registry of a test cluster, by the address of its node: nobody has a login there.
  return lookup.found === "unknown" && isNodeRegistry(host)
    ? lookUpAt(`http://${host}`, place, undefined)
    : lookup;
}

const hostOf = (registry: string): string => (registry === "docker.io" ? "registry-1.docker.io" : registry);
const isNodeRegistry = (host: string): boolean => /^\d+(\.\d+){3}:\d+$/.test(host);

async function lookUpAt(
  origin: string,
  { path, digest }: ImagePlace,
  login: string | undefined,
): Promise<ImageLookup> {
  const url = digest === undefined ? `${origin}/v2/` : `${origin}/v2/${path}/manifests/${digest}`;
  try {
    const answer = await askWithLogin("HEAD", url, path, login);
    // Whoever may not see an image is not told whether it is there.
    if (answer.status === 401 || answer.status === 403)
      return digest === undefined && login === undefined ? { found: "registry" } : { found: "refused" };
    if (answer.status === 404) return { found: "none" };
    if (!answer.ok) return { found: "unknown", reason: `${origin} answers ${answer.status}` };
    return { found: digest === undefined ? "registry" : "image" };
  } catch (error) {
    return { found: "unknown", reason: causeOf(error) };
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Asks without the login first, as a public image wants none. */
async function askWithLogin(
  method: "HEAD" | "GET",
  url: string,
  path: string,
  login: string | undefined,
): Promise<Response> {
  const first = await ask(method, url, undefined);
  if (first.status !== 401) return first;
  return ask(method, url, await authorization(first.headers.get("www-authenticate") ?? "", path, login));
}

const ask = (method: "HEAD" | "GET", url: string, authorization: string | undefined): Promise<Response> =>
  fetch(url, {
    method,
    headers: { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) },
    signal: AbortSignal.timeout(SECONDS * 1000),
  });

const platform = z.object({ os: z.string(), architecture: z.string() });
const manifest = z.union([
  z.object({ manifests: z.array(z.object({ digest: z.string(), platform: platform.optional() })) }),
  z.object({ config: z.object({ digest: z.string() }) }),
]);
const imageConfig = platform.extend({
  config: z
    .object({
      User: z.string().default(""),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .prefault({}),
});

/** What an image says of itself. */
export interface ImageConfig {
  /** Such as `linux/amd64`; several where one reference holds an image for each. */
  readonly platforms: readonly string[];
  /** Empty: root. */
  readonly user: string;
  /** Entry point and its arguments. */
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Reads what an image says of itself.
 *
 * @param wanted platform, such as `linux/amd64`, whose image is read where there are several
 * @throws Error when the registry does not tell
 */
export async function readImageConfig(
  place: ImagePlace & { readonly digest: string },
  wanted: string,
  login: string | undefined,
): Promise<ImageConfig> {
  const { path, digest } = place;
  const { origin, mayLogIn } = await originOf(place.registry);
  const read = async (kind: "manifests" | "blobs", of: string): Promise<unknown> => {
    const url = `${origin}/v2/${path}/${kind}/${of}`;
    const answer = await askWithLogin("GET", url, path, mayLogIn ? login : undefined);
    if (!answer.ok) throw new Error(`${origin} answers ${answer.status} for ${path}@${of}`);
    return answer.json();
  };
  const top = manifest.parse(await read("manifests", digest));
  const index = "manifests" in top ? top.manifests : [];
  const platforms = index.flatMap((one) => (one.platform === undefined ? [] : [textOf(one.platform)]));
  const own = index.find((one) => one.platform !== undefined && textOf(one.platform) === wanted) ?? index[0];
  const single = own === undefined ? top : manifest.parse(await read("manifests", own.digest));
  if (!("config" in single)) throw new Error(`${path}@${digest} names no configuration`);
  const { config, ...of } = imageConfig.parse(await read("blobs", single.config.digest));
  return {
    platforms: platforms.length === 0 ? [textOf(of)] : platforms.filter((one) => !one.startsWith("unknown")),
    user: config.User,
    command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    labels: config.Labels ?? {},
  };
}

const textOf = ({ os, architecture }: z.infer<typeof platform>): string => `${os}/${architecture}`;

/** Where a registry answers, and whether a login may be sent there: the same rules as for {@link lookUpImage}. */
async function originOf(registry: string): Promise<{ origin: string; mayLogIn: boolean }> {
  const host = hostOf(registry);
  if (isLoopback(host)) return { origin: `http://${host}`, mayLogIn: true };
  const secure = { origin: `https://${host}`, mayLogIn: true };
  if (!isNodeRegistry(host)) return secure;
  return ask("HEAD", `${secure.origin}/v2/`, undefined).then(
    () => secure,
    () => ({ origin: `http://${host}`, mayLogIn: false }),
  );
}

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
