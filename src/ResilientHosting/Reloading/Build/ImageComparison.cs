using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ResilientHosting.Reloading;

/// <summary>
/// Compares what the compiler in this process makes of a project with what the SDK's build has made of the same sources. A generator
/// that is missing, or a tool that rewrites assemblies, shows as types, members, references or resources that only one of them has.
/// </summary>
internal static class ImageComparison
{
    /// <returns>What differs; null if nothing does.</returns>
    public static string? FindDifference(byte[] here, byte[] built)
    {
        using var hereReader = new PEReader([.. here]);
        using var builtReader = new PEReader([.. built]);
        var (h, b) = (hereReader.GetMetadataReader(), builtReader.GetMetadataReader());
        return Count("types", h.TypeDefinitions.Count, b.TypeDefinitions.Count)
            ?? Count("methods", h.MethodDefinitions.Count, b.MethodDefinitions.Count)
            ?? Count("fields", h.FieldDefinitions.Count, b.FieldDefinitions.Count)
            ?? Names("references", References(h), References(b))
            ?? Names("resources", Resources(h), Resources(b));
    }

    private static string? Count(string what, int here, int built) =>
        here == built ? null : $"{here} {what} instead of {built}";

    private static string? Names(string what, IReadOnlyCollection<string> here, IReadOnlyCollection<string> built)
    {
        var differing = here.Except(built).Select(name => "+" + name).Concat(built.Except(here).Select(name => "-" + name)).ToArray();
        return differing.Length == 0 ? null : $"other {what}: {string.Join(", ", differing)}";
    }

    private static string[] References(MetadataReader metadata) =>
        [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];

    private static string[] Resources(MetadataReader metadata) =>
        [.. metadata.ManifestResources.Select(handle => metadata.GetString(metadata.GetManifestResource(handle).Name))];
}
