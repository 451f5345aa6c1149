using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using ResilientHosting.Tests.Infrastructure;
using ResilientHosting.Tests.Reloading;

namespace ResilientHosting.Tests.Package;

/// <summary>The package as its users get it.</summary>
[Collection(nameof(LifetimeProcesses))]
public sealed class PackageTests(PackedLibrary library) : IClassFixture<PackedLibrary>
{
    private const string Program = """
        using System.Collections.Concurrent;
        using ResilientHosting.Aborts;
        using ResilientHosting.Resources;

        var ended = new ConcurrentQueue<string>();
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddDevReloader();
        builder.Services.AddRequestScopedResource<Basket>(
            (_, _) => ValueTask.FromResult(new Basket("apples")),
            (_, end) =>
            {
                ended.Enqueue(end.Outcome.Kind.ToString());
                return ValueTask.CompletedTask;
            });

        var app = builder.Build();
        app.UseClientAbortTolerance();
        app.UseDevReloader();
        app.MapGet("/", (Resource<Basket> basket) => $"a basket of {basket.Value.Content}");
        app.MapGet("/slow", async (Resource<Basket> basket, CancellationToken left) =>
        {
            Console.WriteLine("slow: begun");
            await Task.Delay(Timeout.Infinite, left);
        });
        app.MapGet("/ended", () => string.Join(' ', ended));
        app.Run();

        internal sealed record Basket(string Content);

        """;

    [Fact]
    public void Package_HoldsWhatItPromises_AndDependsOnNothing()
    {
        using var package = ZipFile.OpenRead(library.PackagePath);
        var files = package.Entries.Select(entry => entry.FullName).ToArray();
        foreach (var file in (string[])["lib/net10.0/ResilientHosting.dll", "lib/net10.0/ResilientHosting.xml", "buildTransitive/ResilientHosting.targets", "README.md", "icon.png"])
        {
            Assert.Contains(file, files);
        }

        Assert.Equal(["lib/net10.0/ResilientHosting.dll"], files.Where(file => file.EndsWith(".dll", StringComparison.Ordinal)));
        using var specification = package.GetEntry("ResilientHosting.nuspec")!.Open();
        var metadata = XDocument.Load(specification).Root!.Elements().Single();
        Assert.Equal(("MIT", "README.md", "icon.png"), (Text("license"), Text("readme"), Text("icon")));
        Assert.NotEqual("", Text("description"));
        Assert.DoesNotContain(metadata.Descendants(), element => element.Name.LocalName == "dependency");
        Assert.Equal("Microsoft.AspNetCore.App", Assert.Single(metadata.Descendants(), element => element.Name.LocalName == "frameworkReference").Attribute("name")?.Value);

        string Text(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
    }

    [Fact]
    public void Package_IsDeterministic_AndItsSymbolsFit()
    {
        using var package = ZipFile.OpenRead(library.PackagePath);
        using var symbols = ZipFile.OpenRead(library.SymbolsPath);
        using var image = new PEReader(Read(package, "lib/net10.0/ResilientHosting.dll"));
        using var pdb = MetadataReaderProvider.FromPortablePdbStream(Read(symbols, "lib/net10.0/ResilientHosting.pdb"));

        var entries = image.ReadDebugDirectory();
        Assert.Contains(entries, entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        var codeView = image.ReadCodeViewDebugDirectoryData(entries.Single(entry => entry.Type == DebugDirectoryEntryType.CodeView));
        var reader = pdb.GetMetadataReader();
        Assert.Equal(codeView.Guid, new BlobContentId(reader.DebugMetadataHeader!.Id).Guid);
        Assert.All(
            reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name)),
            name => Assert.StartsWith("/_", name, StringComparison.Ordinal));

        static MemoryStream Read(ZipArchive archive, string name)
        {
            using var entry = archive.GetEntry(name)!.Open();
            var copy = new MemoryStream();
            entry.CopyTo(copy);
            copy.Position = 0;
            return copy;
        }
    }

    [Fact]
    public async Task NewApplication_WithThePackageAlone_HasAllThreeFeatures()
    {
        var project = await library.CreateApplicationAsync(Program);
        await using var app = await ReloadableApp.RunAsync(project, null, "--urls=http://127.0.0.1:0");
        Assert.Equal("a basket of apples", await app.GetAsync("/"));

        await using (var client = await RawHttpClient.ConnectAsync(app.Address))
        {
            await client.SendAsync("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await app.Console.WaitForAsync("slow: begun");
        }

        using var limit = new CancellationTokenSource(ConsoleLines.Timeout);
        while (await app.Client.GetStringAsync("/ended", limit.Token) != "Succeeded Aborted")
        {
        }

        Assert.DoesNotContain(app.Console.Since(0), line => line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("warn:", StringComparison.Ordinal));

        var generation = await app.ReloadAsync(() => project.Replace("Program.cs", "apples", "pears"));
        Assert.Equal((1, "a basket of pears"), (generation, await app.GetAsync("/")));
    }
}
