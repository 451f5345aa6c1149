using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>What the reloader needs to work with: the application, its project, and an SDK.</summary>
internal sealed record Prerequisites(string AssemblyPath, string ProjectPath, string Dotnet, string Configuration)
{
    private static readonly string[] TestFrameworks =
        ["xunit", "nunit", "TUnit", "Microsoft.VisualStudio.TestPlatform", "Microsoft.Testing.Platform", "MSTest"];

    private static readonly EnumerationOptions Everywhere = new() { RecurseSubdirectories = true, IgnoreInaccessible = true };

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "Asked only where there are files.")]
    private static bool IsSelfContained =>
        Path.GetDirectoryName(typeof(object).Assembly.Location) == Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    /// <summary>Finds them, or says in half a sentence why the reloader is off.</summary>
    [RequiresUnreferencedCode("Looks at what the application refers to.")]
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is what tells a single-file application.")]
    public static (Prerequisites? Found, string WhyOff) Find(IServiceProvider services, DevReloaderOptions options)
    {
        var environment = services.GetRequiredService<IHostEnvironment>();
        if (!environment.IsDevelopment())
        {
            return Off($"the environment is {environment.EnvironmentName}, not Development");
        }

        if (!options.Enabled)
        {
            return Off("DevReloaderOptions.Enabled is false");
        }

        if (services.GetService<IServer>() is { } server and not SwitchedServer
            && server.GetType().Namespace != "Microsoft.AspNetCore.Server.Kestrel.Core")
        {
            return Off($"the server is {server.GetType().Name}, not Kestrel");
        }

        if (FindWhyProcessIsNeverReloaded() is { } reason)
        {
            return Off(reason);
        }

        var application = Assembly.GetEntryAssembly()!;
        if ((options.ProjectPath ?? ProjectLocator.Find(application.Location)) is not { } project || !File.Exists(project))
        {
            return Off($"the project of {application.GetName().Name} was not found; set DevReloaderOptions.ProjectPath");
        }

        if (IsPublished(application.Location, project))
        {
            return Off("the application is published; dotnet run, in its project, starts one that is reloaded");
        }

        // shared/Microsoft.NETCore.App/<version>/System.Private.CoreLib.dll
        var root = Path.GetFullPath(Path.Combine(typeof(object).Assembly.Location, "..", "..", "..", ".."));
        if (!Directory.Exists(Path.Combine(root, "sdk")))
        {
            return Off(IsSelfContained
                ? "the application is self-contained: the runtime that it brings along has no .NET SDK"
                : $"there is no .NET SDK in {root}");
        }

        var configuration = application.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration ?? "Debug";
        var dotnet = Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        return (new Prerequisites(application.Location, Path.GetFullPath(project), dotnet, configuration), "");

        static (Prerequisites?, string) Off(string reason) => (null, reason);
    }

    /// <summary>Says in half a sentence why no host of this process can be reloaded, whatever its options are; null if one may be.</summary>
    [RequiresUnreferencedCode("Looks at what the application refers to.")]
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty location is what tells a single-file application.")]
    public static string? FindWhyProcessIsNeverReloaded()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_WATCH") == "1")
        {
            return "dotnet watch is already in charge (DOTNET_WATCH=1)";
        }

        if (Assembly.GetEntryAssembly() is not { Location.Length: > 0 } application)
        {
            return "the application is published as a single file";
        }

        if (IsTestRunner(application))
        {
            return $"{application.GetName().Name} is a test project";
        }

        return null;
    }

    /// <summary>Publishing goes to a folder of this name by default; the SDK keeps a list of what it has published elsewhere.</summary>
    private static bool IsPublished(string assemblyPath, string projectPath)
    {
        var intermediate = Path.Combine(Path.GetDirectoryName(projectPath)!, "obj");
        return Path.GetDirectoryName(assemblyPath)!.Split(Path.DirectorySeparatorChar).TakeLast(3).Contains("publish")
            || (Directory.Exists(intermediate)
                && Directory.EnumerateFiles(intermediate, "PublishOutputs.*.txt", Everywhere)
                    .Any(list => File.ReadLines(list).Contains(assemblyPath)));
    }

    /// <summary>A test may host an application on a real Kestrel, but what a reload would start again is the test run.</summary>
    [RequiresUnreferencedCode("Looks at what the application refers to.")]
    private static bool IsTestRunner(Assembly application) =>
        application.GetReferencedAssemblies().Any(reference =>
            TestFrameworks.Any(framework => reference.Name!.StartsWith(framework, StringComparison.OrdinalIgnoreCase)));
}
