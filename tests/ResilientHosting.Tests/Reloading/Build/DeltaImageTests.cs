using System.Diagnostics;
using System.Globalization;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading.Build;

/// <summary>
/// An image with deltas has to behave as the whole image of the same source does. Random edits, compiled both ways by the SDK's own
/// compiler, loaded both ways and run.
/// </summary>
public sealed class DeltaImageTests : IAsyncLifetime
{
    private const int Seed = 20261121;

    // What a body may contain. Each yields a number that depends on {0}, so that a stale body shows.
    private static readonly string[] Bodies =
    [
        "return {0};",
        "var numbers = new[] {{ 3, 1, {0}, 2 }}; return numbers.OrderBy(n => n).Select((n, i) => n * i).Sum();",
        "int Local(int n) => n <= 1 ? 1 : n + Local(n - 1); return Local({0});",
        "var captured = {0}; Func<int, int> add = n => n + captured; captured++; return add(captured);",
        "return $\"{{x}}-{0}\" switch {{ \"1-{0}\" => 11, var s when s.Length > 3 => s.Length, _ => {0} }};",
        "try {{ if (x > 0) throw new InvalidOperationException(\"{0}\"); return 0; }} catch (InvalidOperationException e) {{ return int.Parse(e.Message); }}",
        "var pair = new {{ A = {0}, B = x }}; var (a, b) = (pair.A, pair.B); return a * 31 + b;",
        "Span<int> span = stackalloc int[4]; span.Fill({0}); var sum = 0; foreach (var n in span) sum += n; return sum;",
        "return new Dictionary<string, int> {{ [\"a\"] = 1, [\"b\"] = {0} }}.Values.Sum() + x;",
        "lock (Gate) {{ Counter += {0}; return Counter; }}",
    ];

    private readonly string _directory = Directory.CreateTempSubdirectory("delta-images-").FullName;
    private CompilerCommandLine _commandLine = null!;

    private string SourcePath => Path.Combine(_directory, "Program.cs");

    public async ValueTask InitializeAsync()
    {
        File.WriteAllText(Path.Combine(_directory, "App.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><LangVersion>latest</LangVersion>
              </PropertyGroup>
            </Project>
            """);
        File.WriteAllText(SourcePath, new RandomProgram(new Random(Seed)).Text);
        using (var restore = Process.Start(new ProcessStartInfo("dotnet", ["restore", "--verbosity", "quiet"]) { WorkingDirectory = _directory })!)
        {
            await restore.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, restore.ExitCode);
        }

        _commandLine = (await ProjectGraph.QueryAsync(
            "dotnet", Path.Combine(_directory, "App.csproj"), "Debug", null, TestContext.Current.CancellationToken)).Application.CommandLine!;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Compile_RandomEdits_DeltasBehaveAsWholeImages()
    {
        ComparedCompilers.SkipWithoutDeltas();
        var random = new Random(Seed);
        var program = new RandomProgram(random);
        File.WriteAllText(SourcePath, program.Text);
        var withDeltas = SdkCompiler.Open(new RoslynLoadContext(_commandLine.RoslynDirectory), _commandLine, allowDeltas: true);
        var whole = SdkCompiler.Open(new RoslynLoadContext(_commandLine.RoslynDirectory), _commandLine, allowDeltas: false);

        var deltas = 0;
        for (var edit = 0; edit < 60; edit++)
        {
            program.Edit();
            File.WriteAllText(SourcePath, program.Text);

            if (Compile(whole) is { } expected)
            {
                var delta = Compile(withDeltas);
                Assert.Equal(Run(expected), Run(delta!));
                deltas += delta!.Delta is null ? 0 : 1;
            }
        }

        // Most edits stay inside bodies; a test that never saw a delta would prove nothing.
        Assert.True(deltas >= 30, $"Only {deltas} of 60 edits were deltas (seed {Seed}).");

        AssemblyImage? Compile(SdkCompiler compiler)
        {
            // A new comment changes nothing until the next edit, which then compiles what has moved as well.
            var result = compiler.Compile([SourcePath], TestContext.Current.CancellationToken);
            Assert.True(result.Image is not null || result.IsUnchanged, $"seed {Seed}: {string.Join("\n", result.Errors)}\n{program.Text}");
            return result.Image;
        }
    }

    [Fact]
    public void Compile_ErrorInABody_IsReportedWithItsPlaceAndTheNextEditCompiles()
    {
        var compiler = SdkCompiler.Open(new RoslynLoadContext(_commandLine.RoslynDirectory), _commandLine, allowDeltas: true);
        var good = File.ReadAllText(SourcePath);

        File.WriteAllText(SourcePath, good.Replace("return results;", "return resultz;", StringComparison.Ordinal));
        var broken = compiler.Compile([SourcePath], TestContext.Current.CancellationToken);
        File.WriteAllText(SourcePath, good);
        var mended = compiler.Compile([SourcePath], TestContext.Current.CancellationToken);

        var error = Assert.Single(broken.Errors);
        Assert.Null(broken.Image);
        Assert.StartsWith($"{SourcePath}(", error.ToString(), StringComparison.Ordinal);
        Assert.Contains(": error CS0103: ", error.ToString(), StringComparison.Ordinal);

        // The text is the one that was compiled last, so the image of then still holds.
        Assert.True(mended.IsUnchanged);
    }

    private static string Run(AssemblyImage image)
    {
        var context = new GenerationLoadContext(1, new ProgramImage(image, new Dictionary<string, AssemblyImage>()));
        var run = context.LoadApplication().GetType("Probe")!.GetMethod("Run")!;
        var output = string.Join(",", (List<int>)run.Invoke(null, null)!);
        context.Unload();
        return output;
    }

    /// <summary>A program whose methods have random bodies. An edit changes one body, moves the rest, or now and then adds a method.</summary>
    private sealed class RandomProgram(Random random)
    {
        private readonly List<string> _methods = [.. Enumerable.Range(0, 8).Select(_ => Body(random))];
        private int _added;
        private string _comment = "";

        public string Text
        {
            get
            {
                var calls = string.Concat(Enumerable.Range(0, _methods.Count).Select(i => $"results.Add(M{i}<string>({i}));"));
                var methods = string.Concat(_methods.Select((body, i) => $"    static int M{i}<T>(int x) {{ {body} }}\n"));
                var added = string.Concat(Enumerable.Range(0, _added).Select(i => $"    static int Added{i}() => {i};\n"));
                return $$"""
                    Console.WriteLine(string.Join(",", Probe.Run()));
                    {{_comment}}
                    public static class Probe
                    {
                        private static readonly object Gate = new();
                        private static int Counter;

                        public static List<int> Run()
                        {
                            var results = new List<int>();
                            {{calls}}
                            results.AddRange(Sequence());
                            results.Add(Later().Result);
                            return results;
                        }

                        static IEnumerable<int> Sequence() { yield return M1<int>(5); for (var i = 0; i < 3; i++) { yield return i * M2<int>(i); } }
                        static async Task<int> Later() { await Task.Yield(); var n = M3<int>(7); await Task.Yield(); return n + M4<int>(n); }
                    {{methods}}{{added}}}
                    """;
            }
        }

        public void Edit()
        {
            switch (random.Next(10))
            {
                case 0:
                    _added++;
                    break;
                case 1:
                    _comment += "// a line that moves everything below it\n";
                    break;
                default:
                    _methods[random.Next(_methods.Count)] = Body(random);
                    break;
            }
        }

        private static string Body(Random random) =>
            string.Format(CultureInfo.InvariantCulture, Bodies[random.Next(Bodies.Length)], random.Next(2, 90));
    }
}
