using System.Diagnostics;
using System.Text;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>
/// The sources of a small application and its library in a folder of their own, built once. The reloader compiles in memory, so the
/// outputs stay as they are however often the sources are edited: every process starts from the original.
/// </summary>
public sealed class ReloadableProject : IAsyncLifetime
{
    private readonly string _root;
    private readonly Dictionary<string, byte[]> _originals;
    private readonly string[] _folders;

    public ReloadableProject()
        : this(Directory.CreateTempSubdirectory("reloadable-").FullName, AssetsOf("Reloadable"), "App", "Library")
    {
    }

    /// <param name="root">Where the sources go.</param>
    /// <param name="assets">Where they come from.</param>
    /// <param name="folders">The folders of the application and its libraries, each named after its project.</param>
    internal ReloadableProject(string root, string assets, params string[] folders)
    {
        _root = root;
        _folders = [.. folders.Select(folder => Path.Combine(root, folder))];
        _originals = folders
            .SelectMany(folder => Directory.GetFiles(Path.Combine(assets, folder), "*", SearchOption.AllDirectories))
            .ToDictionary(path => Path.Combine(root, Path.GetRelativePath(assets, path)), File.ReadAllBytes);
    }

    public static string Dotnet { get; } = Path.GetFullPath(Path.Combine(
        typeof(object).Assembly.Location, "..", "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    public string Folder => _folders[0];

    public string AssemblyPath => Path.Combine(Folder, "bin", "Debug", "net10.0", Path.GetFileName(Folder) + ".dll");

    public async ValueTask InitializeAsync()
    {
        // Ends the search for a parent's settings, and names the library under test.
        await File.WriteAllTextAsync(Path.Combine(_root, "Directory.Build.props"), $"""
            <Project>
              <PropertyGroup>
                <ResilientHostingAssembly>{typeof(IDevReloader).Assembly.Location}</ResilientHostingAssembly>
              </PropertyGroup>
            </Project>
            """);
        Restore();
        await BuildAsync(Folder);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Brings every source back to what was built.</summary>
    /// <returns>Whether anything differed that is compiled or read at the start.</returns>
    public bool Restore()
    {
        var stray = _folders
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            .Where(path => Path.GetExtension(path) is ".cs" or ".cshtml" or ".razor" && !_originals.ContainsKey(path) && !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .ToArray();
        var differing = _originals
            .Where(file => !File.Exists(file.Key) || !File.ReadAllBytes(file.Key).SequenceEqual(file.Value))
            .ToArray();

        foreach (var path in stray)
        {
            File.Delete(path);
        }

        foreach (var (path, original) in differing)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, original);
        }

        return stray.Length > 0 || differing.Any(file => !file.Key.StartsWith(PathOf("wwwroot"), StringComparison.Ordinal));
    }

    /// <summary>The content that a source file of the application began with.</summary>
    public string Original(string file) => Encoding.UTF8.GetString(_originals[PathOf(file)]);

    internal static string AssetsOf(string name) => Path.Combine(AppContext.BaseDirectory, "TestAssets", name);

    /// <summary>Builds a project or a solution.</summary>
    internal static async Task BuildAsync(string path)
    {
        var build = Command(Dotnet, "build", path, "-nologo", "-v:q", "-nodeReuse:false", "-p:UseSharedCompilation=false");
        build.RedirectStandardOutput = true;
        using var process = Process.Start(build)!;
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(10));
        await process.WaitForExitAsync().WaitAsync(ConsoleLines.Timeout);
        Assert.True(process.ExitCode == 0, output);
    }

    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>A folder beside the project, on the same file system, which the reloader doesn't watch.</summary>
    public string PathBeside(string folder) => Path.Combine(_root, folder);

    public void Write(string file, string content) => Write(file, Encoding.UTF8.GetBytes(content));

    /// <summary>Saves as careful editors do: whoever reads the file sees the old content or the new, never half of it.</summary>
    public void Write(string file, byte[] content)
    {
        var draft = Path.Combine(_root, Path.GetRandomFileName());
        File.WriteAllBytes(draft, content);
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        File.Move(draft, PathOf(file), overwrite: true);
    }

    public void Replace(string file, string oldText, string newText)
    {
        var content = File.ReadAllText(PathOf(file));
        Assert.Contains(oldText, content, StringComparison.Ordinal);
        Write(file, content.Replace(oldText, newText, StringComparison.Ordinal));
    }

    /// <summary>Changes what <c>GET /</c> answers.</summary>
    public void EditGreeting(string from, string to) => Replace("Program.cs", $"\"/\", () => \"{from}\"", $"\"/\", () => \"{to}\"");

    /// <summary>Puts a statement at the very beginning of the program.</summary>
    public void InsertAtStart(string statement) =>
        Replace("Program.cs", "var builder = ", statement + "\nvar builder = ");

    internal static ProcessStartInfo Command(string program, params string[] arguments)
    {
        var command = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true };

        // What the test runner was told about itself is not meant for the processes that tests start.
        var inherited = command.Environment.Keys
            .Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name is "DOTNET_WATCH" or "DOTNET_USE_POLLING_FILE_WATCHER")
            .ToArray();
        foreach (var name in inherited)
        {
            command.Environment.Remove(name);
        }

        return command;
    }
}
