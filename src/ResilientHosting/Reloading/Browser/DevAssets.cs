using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;

namespace ResilientHosting.Reloading;

/// <summary>The files that the reloader serves to browsers. They travel inside the library.</summary>
internal static class DevAssets
{
    private const string Prefix = "ResilientHosting.Browser.";

    private static readonly Lazy<FrozenDictionary<string, DevAsset>> All = new(Read);

    /// <param name="path">The path below the reloader's own, such as <c>/client.js</c>.</param>
    public static DevAsset? Find(string path) => All.Value.GetValueOrDefault(path);

    private static FrozenDictionary<string, DevAsset> Read()
    {
        var library = typeof(DevAssets).Assembly;
        return library.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .SelectMany(name =>
            {
                using var resource = new StreamReader(library.GetManifestResourceStream(name)!);

                // Browsers see line feeds alone, and hash what they see.
                var content = Encoding.UTF8.GetBytes(resource.ReadToEnd().ReplaceLineEndings("\n"));
                var path = "/" + name[Prefix.Length..];
                var asset = new DevAsset(TypeOf(Path.GetExtension(name)), content);
                return Path.GetExtension(name) == ".css" ? new[] { (path, asset), (path + ".js", AsModule(asset)) } : [(path, asset)];
            })
            .ToFrozenDictionary(served => served.Item1, served => served.Item2);
    }

    /// <summary>A style sheet that scripts import: the security policy of a foreign page may not let them fetch it in any other way.</summary>
    private static DevAsset AsModule(DevAsset style) => new(
        TypeOf(".js"), Encoding.UTF8.GetBytes($"export default \"{JavaScriptEncoder.Default.Encode(Encoding.UTF8.GetString(style.Content))}\";\n"));

    private static string TypeOf(string extension) => extension switch
    {
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".html" => "text/html; charset=utf-8",
        _ => throw new NotSupportedException($"Say what type {extension} is."),
    };
}

/// <summary>A file as browsers get it.</summary>
internal sealed record DevAsset(string ContentType, byte[] Content)
{
    /// <summary>What a content security policy calls a script or a style with this content.</summary>
    public static string PolicySource(byte[] content) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(content))}'";
}
