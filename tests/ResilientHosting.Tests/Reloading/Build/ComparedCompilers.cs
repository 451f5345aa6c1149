using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using System.Reflection.Metadata;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading.Build;

/// <summary>
/// One program on disk and two compilers that keep it open: one that may emit deltas, one that never does. What comes out of both has to
/// look the same to reflection and to do the same when it runs.
/// </summary>
public sealed class ComparedCompilers : IAsyncLifetime
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private readonly string _directory = Directory.CreateTempSubdirectory("delta-images-").FullName;
    private SdkCompiler? _withDeltas;
    private SdkCompiler? _whole;

    public string SourcePath => Path.Combine(_directory, "Program.cs");

    public async ValueTask InitializeAsync()
    {
        File.WriteAllText(Path.Combine(_directory, "App.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable><LangVersion>latest</LangVersion>
              </PropertyGroup>
            </Project>
            """);
        File.WriteAllText(SourcePath, "return;");
        using (var restore = Process.Start(new ProcessStartInfo("dotnet", ["restore", "--verbosity", "quiet"]) { WorkingDirectory = _directory })!)
        {
            await restore.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, restore.ExitCode);
        }

        var project = await ProjectGraph.QueryAsync(
            "dotnet", Path.Combine(_directory, "App.csproj"), "Debug", null, TestContext.Current.CancellationToken);
        var roslyn = new RoslynLoadContext(project.Application.CommandLine!.RoslynDirectory);
        _withDeltas = SdkCompiler.Open(roslyn, project.Application.CommandLine, allowDeltas: true);
        _whole = SdkCompiler.Open(roslyn, project.Application.CommandLine, allowDeltas: false);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    public static void SkipWithoutDeltas() => Assert.SkipUnless(
        MetadataUpdater.IsSupported, "DOTNET_MODIFIABLE_ASSEMBLIES=debug is not set; 'dotnet test' and eng/test.sh set it.");

    /// <summary>Makes the given program the one that deltas start from, where the process takes any.</summary>
    public void Start(string source)
    {
        SkipWithoutDeltas();
        File.WriteAllText(SourcePath, source);
        _withDeltas!.Compile([SourcePath], ImmutableDictionary<string, byte[]>.Empty, whole: true, TestContext.Current.CancellationToken);
    }

    /// <summary>Compiles the edited program both ways and asserts that both are the same.</summary>
    /// <returns>Whether a delta was emitted.</returns>
    public bool Edit(string source, string because)
    {
        File.WriteAllText(SourcePath, source);
        var (delta, whole) = (Compile(_withDeltas!), Compile(_whole!));
        var (actual, expected) = (Describe(delta), Describe(whole));
        Assert.True(expected.SequenceEqual(actual), $"""
            {because}
            only in the whole image: {string.Join("\n", expected.Except(actual))}
            only in the delta image: {string.Join("\n", actual.Except(expected))}
            {source}
            """);
        return delta.Delta is not null;

        AssemblyImage Compile(SdkCompiler compiler)
        {
            var build = compiler.Compile([SourcePath], TestContext.Current.CancellationToken);
            if (build.IsUnchanged)
            {
                // Nothing but comments and white space: no reason to reload. What the next start is made from has to be right nevertheless.
                build = compiler.Compile([], TestContext.Current.CancellationToken);
            }

            Assert.True(build.Image is not null, $"{because}\n{string.Join("\n", build.Errors)}\n{source}");
            return build.Image;
        }
    }

    private static List<string> Describe(AssemblyImage image)
    {
        var context = new GenerationLoadContext(1, new ProgramImage(image, new Dictionary<string, AssemblyImage>()));
        try
        {
            var application = context.LoadApplication();
            var run = (string)application.GetType("Probe")!.GetMethod("Run")!.Invoke(null, null)!;
            return
            [
                "run: " + run,
                .. application.GetTypes().Where(IsWritten).SelectMany(Describe).Order(StringComparer.Ordinal),
            ];
        }
        finally
        {
            context.Unload();
        }
    }

    private static IEnumerable<string> Describe(Type type) => type.GetMembers(All)
        .Where(member => member is not Type && IsWritten(member))
        .Select(member => $"{type}.{member}{Attributes(member)}{Nullability(member)}{Parameters(member)}")
        .Prepend($"{type} : {type.BaseType}, {string.Join(", ", type.GetInterfaces().Select(i => i.ToString()).Order(StringComparer.Ordinal))} {type.Attributes}{Attributes(type)}");

    private static string Parameters(MemberInfo member) => member is MethodBase method
        ? string.Join(",", method.GetParameters().Select(parameter => $"{parameter}{parameter.DefaultValue}{Nullability(new NullabilityInfoContext().Create(parameter))}"))
        : "";

    private static string Nullability(MemberInfo member) => member switch
    {
        FieldInfo field => Nullability(new NullabilityInfoContext().Create(field)),
        PropertyInfo property => Nullability(new NullabilityInfoContext().Create(property)),
        MethodInfo method => Nullability(new NullabilityInfoContext().Create(method.ReturnParameter)),
        _ => "",
    };

    // What the context says about type parameters depends on what was asked before.
    private static string Nullability(NullabilityInfo info) => info.Type.IsGenericParameter ? "" : $" {info.ReadState}";

    /// <summary>Names of state machines and how nullability is written down may differ; what it says may not.</summary>
    private static string Attributes(MemberInfo member) => string.Concat(member.GetCustomAttributesData()
        .Select(attribute => attribute.ToString())
        .Where(text => !text.Contains("StateMachine", StringComparison.Ordinal) && !text.Contains("Nullable", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal));

    private static bool IsWritten(MemberInfo member) =>
        !((member as Type)?.FullName ?? member.Name).Contains('<', StringComparison.Ordinal);
}
