import { Command, InvalidArgumentError, Option } from "commander";
import { deployerObjects, type DeployerSubject } from "../components/manifests/deployer";
import { parseSettings } from "../settings/settings";
import { sourceOfStackFile } from "../settings/stackFile";
import { Failure } from "../common/failure";
import { runCommand } from "../common/command";
import { checkout } from "../common/paths";
import { noStackFile } from "../common/stackFiles";

interface Options {
  readonly stack: string;
  readonly user?: string;
  readonly group?: string;
  readonly serviceAccount?: Extract<DeployerSubject, { kind: "ServiceAccount" }>;
}

const command = new Command("npm run deployer --")
  .description(
    "Prints the namespaces of a stack and the least permissions of who deploys it, for an administrator to apply.",
  )
  .requiredOption("-s, --stack <name>", "the stack: one with a Pulumi.<name>.yaml")
  .addOption(
    new Option("--user <name>", "who deploys, by the name that the cluster knows").conflicts([
      "group",
      "serviceAccount",
    ]),
  )
  .addOption(new Option("--group <name>", "a group of the identity provider").conflicts("serviceAccount"))
  .addOption(
    new Option("--service-account <namespace/name>", "a ServiceAccount of the cluster").argParser(
      serviceAccount,
    ),
  )
  .addHelpText(
    "after",
    "\nExample: npm run --silent deployer -- -s prod --group deployers | kubectl apply -f -",
  );

function serviceAccount(text: string): Options["serviceAccount"] {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new InvalidArgumentError("Expected NAMESPACE/NAME.");
  }
  return { kind: "ServiceAccount", namespace, name };
}

function subjectOf({ user, group, serviceAccount: account }: Options): DeployerSubject {
  if (user !== undefined) return { kind: "User", name: user };
  if (group !== undefined) return { kind: "Group", name: group };
  if (account !== undefined) return account;
  throw new Failure("nobody is named who deploys", "add --user, --group or --service-account");
}

function main(options: Options): Promise<void> {
  const subject = subjectOf(options);
  const source = sourceOfStackFile(checkout, options.stack) ?? noStackFile(options.stack);
  const items = deployerObjects(parseSettings(source), subject);
  console.log(JSON.stringify({ apiVersion: "v1", kind: "List", items }, null, 2));
  return Promise.resolve();
}

runCommand(command, main);
