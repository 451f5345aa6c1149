using BenchmarkDotNet.Attributes;
using ResilientHosting.Reloading;

namespace ResilientHosting.Benchmarks;

/// <summary>One look at all sources of a project in which nothing has changed: what the safety net costs each time.</summary>
[MemoryDiagnoser]
public class SweepBenchmarks
{
    private const int FilesOfAFolder = 25;
    private const int FoldersOfAFolder = 10;

    private DirectoryInfo? _project;
    private SourceFolders? _folders;
    private SourceSweep? _sweep;
    private SourceSnapshot _latest = SourceSnapshot.Empty;

    [Params(5_000, 20_000)]
    public int Files { get; set; }

    [GlobalSetup]
    public void CreateFiles()
    {
        _project = Directory.CreateTempSubdirectory("sweep-");
        for (var file = 0; file < Files; file++)
        {
            var folder = file / FilesOfAFolder;
            var path = Path.Combine(_project.FullName, $"Part{folder / FoldersOfAFolder}", $"Folder{folder}", $"File{file}.cs");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, $"namespace Sample; internal sealed class File{file};");
        }

        // What a build and a package manager leave behind, and no sweep may look at.
        for (var package = 0; package < 2_000; package++)
        {
            Directory.CreateDirectory(Path.Combine(_project.FullName, "node_modules", $"package{package}", "lib"));
        }

        Directory.CreateDirectory(Path.Combine(_project.FullName, "bin"));

        var tree = new SourceTree(_project.FullName);
        _folders = tree.Folders();
        _sweep = new SourceSweep(tree, _folders);

        // As after a day: no file is so fresh that its time stamp can't be relied on.
        _latest = _sweep.Look(SourceSnapshot.Empty, _folders.All, DateTimeOffset.UtcNow.AddDays(1));
    }

    [GlobalCleanup]
    public void DeleteFiles() => _project!.Delete(recursive: true);

    [Benchmark]
    public object Sweep() => _sweep!.Look(_latest, _folders!.All, DateTimeOffset.UtcNow.AddDays(1));
}
