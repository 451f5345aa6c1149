using System.Security.Cryptography.X509Certificates;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>
/// Applications in all the styles in which a host can be written, with all the frameworks that run in one. They are built once, together;
/// tests edit their sources, so they run one after another.
/// </summary>
[CollectionDefinition(nameof(HostApps))]
public sealed class HostApps : ICollectionFixture<HostApps.Built>
{
    public sealed class Built : IAsyncLifetime
    {
        private static readonly string[] Libraries = ["Catalog", "Prices"];

        private readonly string _root = Directory.CreateTempSubdirectory("hosts-").FullName;
        private readonly Dictionary<string, ReloadableProject> _projects = [];

        /// <summary>Two web hosts and a bootstrap host in one program: the first web host is reloaded.</summary>
        public ReloadableProject TwoHosts => _projects["TwoHosts"];

        /// <summary>A program with endpoints of all kinds, configured in code, in a <c>Main</c> that returns a task and an exit code.</summary>
        public ReloadableProject Endpoints => _projects["Endpoints"];

        /// <summary>Top-level statements and source generators; nothing in it names the reloader.</summary>
        public ReloadableProject Minimal => _projects["Minimal"];

        /// <summary>MVC, Razor Pages, Blazor, SignalR, Entity Framework Core, OpenAPI; a component library and a class library.</summary>
        public ReloadableProject Site => _projects["Site"];

        /// <summary>A start-up class behind <c>Host.CreateDefaultBuilder</c>, in a <c>static void Main</c>.</summary>
        public ReloadableProject Startup => _projects["Startup"];

        /// <summary>A host without a web server.</summary>
        public ReloadableProject Worker => _projects["Worker"];

        /// <summary>Switches the reloader on in an application that doesn't know of it.</summary>
        public static Dictionary<string, string> HostingStartup { get; } =
            new() { ["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] = "ResilientHosting" };

        /// <summary>The tests' certificate, in a file.</summary>
        public string CertificatePath => Path.Combine(_root, "certificate.pfx");

        public string DatabaseArgument => "--Database=" + Path.Combine(_root, "shop.db");

        public string PathOf(string file) => Path.Combine(_root, file);

        public async ValueTask InitializeAsync()
        {
            var assets = ReloadableProject.AssetsOf("Hosts");
            File.Copy(Path.Combine(assets, "Apps.slnx"), PathOf("Apps.slnx"));
            await File.WriteAllTextAsync(PathOf("Directory.Build.props"), $"""
                <Project>
                  <PropertyGroup>
                    <TargetFramework>net10.0</TargetFramework>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <Nullable>enable</Nullable>
                  </PropertyGroup>
                  <ItemGroup Condition="!$([System.String]::new('{string.Join(';', Libraries)}').Contains('$(MSBuildProjectName)'))">
                    <Reference Include="{typeof(IDevReloader).Assembly.Location}" />
                  </ItemGroup>
                </Project>
                """);
            await File.WriteAllBytesAsync(CertificatePath, TestCertificate.Value.Export(X509ContentType.Pkcs12));
            foreach (var folder in Directory.GetDirectories(assets).Select(path => Path.GetFileName(path)!).Except(Libraries))
            {
                var project = new ReloadableProject(_root, assets, folder == "Site" ? [folder, .. Libraries] : [folder]);
                project.Restore();
                _projects.Add(folder, project);
            }

            await ReloadableProject.BuildAsync(PathOf("Apps.slnx"));
        }

        public ValueTask DisposeAsync()
        {
            Directory.Delete(_root, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
