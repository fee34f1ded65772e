import type { Settings } from "../../settings/settings";

/** Secret that is made from `imagePull.login`, in each namespace of the stack. */
export const LOGIN_SECRET = "temporal-stack-image-pull";

/** Docker Hub's login is kept under the address of its first version. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/** The Secrets with which any image of the stack is pulled, as pods and ServiceAccounts name them. */
export function imagePullSecrets({ imagePull }: Pick<Settings, "imagePull">): { readonly name: string }[] {
  const names = [...imagePull.existing, ...(imagePull.login === undefined ? [] : [LOGIN_SECRET])];
  return [...new Set(names)].map((name) => ({ name }));
}

/** Content of a Secret of type `kubernetes.io/dockerconfigjson`. */
export function dockerConfig(server: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({
    auths: { [server === "docker.io" ? DOCKER_HUB : server]: { username, password, auth } },
  });
}
