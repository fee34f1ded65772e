import { execa } from "execa";
import { Failure, lastLines } from "../common/failure";

/** How to log in to a registry: with the job's identity at a cloud, or with a user and a password. */
export const loginMethods = ["aws", "google", "azure", "password"] as const;
export type LoginMethod = (typeof loginMethods)[number];

/** What `docker login` is given. */
export interface RegistryLogin {
  readonly user: string;
  readonly password: string;
}

/** The token of a job is worth something at its own registry only. */
const OWN_REGISTRY = "ghcr.io";
const ECR = /^\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
const ECR_PUBLIC = "public.ecr.aws";
const ARTIFACT_REGISTRY = /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/;
const ACR = /^([a-z0-9-]+)\.azurecr\.(?:io|cn|us)$/;
/** https://learn.microsoft.com/azure/container-registry/container-registry-authentication */
const ACR_USER = "00000000-0000-0000-0000-000000000000";

/**
 * The login for a registry. A cloud's own program exchanges the identity that the job is logged in with for a token.
 *
 * @param registry host, as in the repository of the image
 * @param env `REGISTRY_USER`, `REGISTRY_PASSWORD`, and for the job's own registry `GITHUB_ACTOR`, `GITHUB_TOKEN`
 * @throws Failure naming the variable that does not fit, or why there is no token
 */
export function registryLogin(
  registry: string,
  method: LoginMethod,
  env: NodeJS.ProcessEnv,
): Promise<RegistryLogin> | RegistryLogin {
  switch (method) {
    case "aws":
      return awsLogin(registry);
    case "google":
      if (!ARTIFACT_REGISTRY.test(registry)) {
        throw wrongHost(registry, method, "REGION-docker.pkg.dev");
      }
      return tokenOf("oauth2accesstoken", "gcloud", ["auth", "print-access-token"]);
    case "azure":
      return azureLogin(registry);
    case "password":
      return passwordLogin(registry, env);
  }
}

function awsLogin(registry: string): Promise<RegistryLogin> {
  if (registry === ECR_PUBLIC) {
    // It has one region for all.
    return tokenOf("AWS", "aws", ["ecr-public", "get-login-password", "--region", "us-east-1"]);
  }
  const region = ECR.exec(registry)?.[1];
  if (region === undefined) throw wrongHost(registry, "aws", "ACCOUNT.dkr.ecr.REGION.amazonaws.com");
  return tokenOf("AWS", "aws", ["ecr", "get-login-password", "--region", region]);
}

function azureLogin(registry: string): Promise<RegistryLogin> {
  const name = ACR.exec(registry)?.[1];
  if (name === undefined) throw wrongHost(registry, "azure", "NAME.azurecr.io");
  const output = ["--expose-token", "--query", "accessToken", "--output", "tsv"];
  return tokenOf(ACR_USER, "az", ["acr", "login", "--name", name, ...output]);
}

function passwordLogin(registry: string, env: NodeJS.ProcessEnv): RegistryLogin {
  const { REGISTRY_USER: user = "", REGISTRY_PASSWORD: password = "" } = env;
  if (user !== "" && password !== "") return { user, password };
  const { GITHUB_ACTOR: actor = "", GITHUB_TOKEN: token = "" } = env;
  if (registry === OWN_REGISTRY && password === "" && token !== "") {
    return { user: user === "" ? actor : user, password: token };
  }
  const cloud = cloudOf(registry);
  throw new Failure(
    `there is no login for ${registry}: ${[...(user === "" ? ["REGISTRY_USER"] : []), ...(password === "" ? ["REGISTRY_PASSWORD"] : [])].join(" and ")} not set`,
    cloud === undefined
      ? "set the variable REGISTRY_USER and the secret REGISTRY_PASSWORD of the job's environment"
      : `set the variable REGISTRY_LOGIN of the job's environment to ${cloud}: then the job's identity is enough`,
  );
}

function cloudOf(registry: string): LoginMethod | undefined {
  if (registry === ECR_PUBLIC || ECR.test(registry)) return "aws";
  if (ARTIFACT_REGISTRY.test(registry)) return "google";
  return ACR.test(registry) ? "azure" : undefined;
}

const wrongHost = (registry: string, method: LoginMethod, expected: string): Failure =>
  new Failure(
    `REGISTRY_LOGIN is ${method}, but REGISTRY ${registry} is not like ${expected}`,
    "name the host alone, without a path, or another REGISTRY_LOGIN",
  );

async function tokenOf(user: string, program: string, args: readonly string[]): Promise<RegistryLogin> {
  const { failed, stdout, stderr, code } = await execa(program, args, { stdin: "ignore", reject: false });
  const password = stdout.trim();
  if (!failed && password !== "") return { user, password };
  throw code === "ENOENT"
    ? new Failure(`${program} is not on PATH`, `install the cloud's own program ${program} on the runner`)
    : new Failure(
        `${program} ${args.slice(0, 2).join(" ")} gave no token`,
        "see that the job's identity is logged in (docs/ci-cd.md) and may use the registry",
        lastLines(stderr),
      );
}
