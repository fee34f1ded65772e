import { z } from "zod";
import { charts as pins, images as imagePins } from "./versions";
import { chartVersion } from "./charts";
import { flag, integer } from "./fields";
import { imagePin } from "./imagePin";
import { imageReference } from "./images";
import { dnsLabel, inYaml } from "./names";
import { containerResources } from "./workers";

const image = (what: string, pin: Parameters<typeof imagePin>[0]) =>
  imageReference(`an image of cert-manager's ${what}`)
    .default(imagePin(pin))
    .describe(`Image of cert-manager's ${what}.`);

/** cert-manager, which makes the certificates that other parts of the stack ask for. */
export const certManager = z
  .strictObject({
    install: flag()
      .default(false)
      .describe(
        "Whether this stack installs cert-manager; a cluster takes only one. Where several stacks share a cluster, false in all of them: an administrator installs the chart.",
      ),
    namespace: inYaml(dnsLabel("a namespace name"))
      .default("cert-manager")
      .describe("Namespace of cert-manager."),
    chartVersion: chartVersion(pins.certManager.version, "cert-manager's chart"),
    images: z
      .strictObject({
        controller: image("controller", imagePins.certManagerController),
        webhook: image("webhook", imagePins.certManagerWebhook),
        caInjector: image("CA injector", imagePins.certManagerCaInjector),
        startupCheck: image("check after the installation", imagePins.certManagerStartupCheck),
        acmeSolver: image("solver of ACME challenges", imagePins.certManagerAcmeSolver),
      })
      .prefault({}),
    replicas: integer("pods", 1, 5)
      .default(2)
      .describe("Pods of controller, webhook and CA injector each; of the first and the last, one leads."),
    resources: containerResources({ cpu: "20m", memory: "64Mi", memoryLimit: "256Mi" }),
  })
  .prefault({});

/** Settings of cert-manager. */
export type CertManagerSettings = z.output<typeof certManager>;
