import { type sendUnaryData, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { readMetadata } from "../runtime/metadata";
import { nonEmpty } from "../runtime/properties";
import { engineAddress, serve } from "../runtime/serve";
import { interruptAll } from "./children";
import { about, installDependencies, programDependencies } from "./dependencies";
import { packageDependency, requiredPlugins } from "./packages";
import { run } from "./runProgram";
import { runPlugin } from "./runPlugin";

const metadata = readMetadata(__dirname);
let engine = engineAddress();

function reply<Request, Response>(answer: (request: Request) => Response) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    let response: Response;
    try {
      response = answer(call.request);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    callback(null, response);
  };
}

/** Code generation is the official host's alone; nothing that this project does needs it. */
function noCodeGeneration(_call: unknown, callback: sendUnaryData<never>): void {
  callback({
    code: status.UNIMPLEMENTED,
    details:
      "this substitute for the Node language host generates no code: use the official Pulumi CLI for that, " +
      "or leave it out (pulumi import --generate-code=false)",
  });
}

serve(
  LanguageRuntimeService,
  {
    handshake: reply<language.LanguageHandshakeRequest, language.LanguageHandshakeResponse>((request) => {
      engine = request.getEngineAddress();
      return new language.LanguageHandshakeResponse();
    }),
    getPluginInfo: reply<Empty, PluginInfo>(() => {
      const info = new PluginInfo();
      info.setVersion(metadata.version);
      return info;
    }),
    getRequiredPackages: reply<language.GetRequiredPackagesRequest, language.GetRequiredPackagesResponse>(
      (request) => {
        const info = request.getInfo() ?? new language.ProgramInfo();
        const response = new language.GetRequiredPackagesResponse();
        response.setPackagesList(
          requiredPlugins(info.getProgramDirectory(), info.getRootDirectory()).map(packageDependency),
        );
        return response;
      },
    ),
    run: (
      call: ServerUnaryCall<language.RunRequest, language.RunResponse>,
      callback: sendUnaryData<language.RunResponse>,
    ) => run(engine, call, callback),
    runPlugin,
    installDependencies,
    runtimeOptionsPrompts: reply<language.RuntimeOptionsRequest, language.RuntimeOptionsResponse>(
      () => new language.RuntimeOptionsResponse(),
    ),
    template: reply<language.TemplateRequest, language.TemplateResponse>(
      () => new language.TemplateResponse(),
    ),
    generateProgram: noCodeGeneration,
    generateProject: noCodeGeneration,
    generatePackage: noCodeGeneration,
    about: reply<language.AboutRequest, language.AboutResponse>((request) =>
      about(request.getInfo()?.getProgramDirectory() ?? process.cwd()),
    ),
    getProgramDependencies: reply<
      language.GetProgramDependenciesRequest,
      language.GetProgramDependenciesResponse
    >((request) =>
      programDependencies(
        nonEmpty(request.getInfo()?.getProgramDirectory()) ?? request.getPwd(),
        request.getTransitivedependencies(),
      ),
    ),
    cancel: reply<Empty, Empty>(() => {
      interruptAll();
      return new Empty();
    }),
  },
  interruptAll,
);
