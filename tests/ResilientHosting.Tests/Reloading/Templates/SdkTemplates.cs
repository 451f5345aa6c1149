using System.Diagnostics;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Templates;

/// <summary>Projects as <c>dotnet new</c> makes them, with one line more, built once and together.</summary>
[CollectionDefinition(nameof(SdkTemplates))]
public sealed class SdkTemplates : ICollectionFixture<SdkTemplates.Built>
{
    public sealed class Built : IAsyncLifetime
    {
        /// <summary>In F#, the template "web".</summary>
        public const string FSharp = "fsharp";

        private static readonly string[] Names = ["web", "webapi", "webapiaot", "mvc", "webapp", "blazor", "worker", FSharp];

        private readonly string _root = Directory.CreateTempSubdirectory("templates-").FullName;

        public ReloadableProject Project(string template) => new(_root, _root, template);

        public async ValueTask InitializeAsync()
        {
            // The package would bring the reference to the framework along; a worker has none of its own. Blazor's script and the runtime for
            // native code come in packages that not every feed has, and no test uses them.
            await File.WriteAllTextAsync(Path.Combine(_root, "Directory.Build.props"), $"""
                <Project>
                  <PropertyGroup>
                    <RequiresAspNetWebAssets>false</RequiresAspNetWebAssets>
                    <EnableRuntimePackDownload>false</EnableRuntimePackDownload>
                  </PropertyGroup>
                  <ItemGroup>
                    <FrameworkReference Include="Microsoft.AspNetCore.App" Condition="'$(MSBuildProjectName)' == 'worker'" />
                    <Reference Include="{typeof(IDevReloader).Assembly.Location}" />
                  </ItemGroup>
                </Project>
                """);
            foreach (var name in Names)
            {
                await CreateAsync(name);
            }

            var solution = Path.Combine(_root, "Templates.slnx");
            var projects = Names.Select(name => $"<Project Path=\"{name}/{name}.{(name == FSharp ? "fsproj" : "csproj")}\" />");
            await File.WriteAllTextAsync(solution, $"<Solution>{string.Concat(projects)}</Solution>");
            await ReloadableProject.BuildAsync(solution);
        }

        public ValueTask DisposeAsync()
        {
            Directory.Delete(_root, recursive: true);
            return ValueTask.CompletedTask;
        }

        private async Task CreateAsync(string name)
        {
            string[] template = name == FSharp ? ["web", "--language", "F#"] : [name];
            var command = ReloadableProject.Command(
                ReloadableProject.Dotnet, ["new", .. template, "--output", Path.Combine(_root, name), "--no-restore", "--no-update-check"]);
            command.RedirectStandardOutput = true;
            using (var process = Process.Start(command)!)
            {
                var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(ConsoleLines.Timeout);
                await process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
                Assert.True(process.ExitCode == 0, output);
            }

            var (file, anchor, line) = name switch
            {
                "worker" => ("Program.cs", "var host = builder.Build();", "builder.Services.AddDevReloader();\nvar host = builder.Build();"),
                FSharp => ("Program.fs", "let app = builder.Build()", "let app = builder.Build()\n    app.UseDevReloader() |> ignore"),
                _ => ("Program.cs", "var app = builder.Build();", "var app = builder.Build();\napp.UseDevReloader();"),
            };
            Project(name).Replace(file, anchor, line);
        }
    }
}
