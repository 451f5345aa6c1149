using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Build;

/// <summary>The compiler in this process says about a program what <c>dotnet build</c> says about it: the same ids, severities and places.</summary>
public sealed class DiagnosticsParityTests : IDisposable
{
    private const string Program = """
        #nullable enable
        var unused = 1;
        int neverRead;
        string text = null;
        #pragma warning disable CS0219
        var silenced = 2;
        #pragma warning restore CS0219
        Console.WriteLine(new Old().Value);

        class Old
        {
            private int _neverUsed;

            [Obsolete("Use New.")]
            public int Value => 1;
        }
        """;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("<NoWarn>$(NoWarn);CS0219;CS0612;CS0618</NoWarn>")]
    [InlineData("<WarningsAsErrors>CS0168;nullable</WarningsAsErrors>")]
    [InlineData("<TreatWarningsAsErrors>true</TreatWarningsAsErrors><WarningsNotAsErrors>CS0618;CS0169</WarningsNotAsErrors>")]
    public async Task Compile_ProgramWithWarnings_SaysWhatDotnetBuildSays(string properties)
    {
        _folder.Write(".editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.CS0169.severity = error\n");
        _folder.Write("Program.cs", Program);
        var project = _folder.Write("App.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings>
                {properties}
              </PropertyGroup>
            </Project>
            """);
        var prerequisites = new Prerequisites(_folder.PathOf("bin/App.dll"), project, ReloadableProject.Dotnet, "Debug");

        var built = await SdkBuild.RunAsync(prerequisites, _folder.PathOf("out/"), restore: true, Token);
        var graph = await ProjectGraph.QueryAsync(prerequisites.Dotnet, project, "Debug", null, Token);
        var commandLine = graph.Application.CommandLine!;
        var compiled = SdkCompiler.Open(new RoslynLoadContext(commandLine.RoslynDirectory), commandLine)
            .Compile([_folder.PathOf("Program.cs")], Token);

        Assert.Contains(built, diagnostic => diagnostic is { Id: "CS0169", IsError: true } || properties.Contains("WarningsNotAsErrors", StringComparison.Ordinal));
        Assert.Equal(
            built.Select(diagnostic => (diagnostic with { Project = null }).ToString()).Order(),
            compiled.Diagnostics.Select(diagnostic => diagnostic.ToString()).Order());
    }
}
