namespace ResilientHosting.Reloading;

/// <summary>How much of a folder is watched with it.</summary>
internal enum FolderExtent
{
    /// <summary>The files that a project lists by name.</summary>
    ListedFiles,

    /// <summary>The files in it. The folders below are watched by themselves.</summary>
    Files,

    /// <summary>The files in it and in all folders below.</summary>
    Tree,
}

/// <summary>A folder that is watched by itself.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Extent">How much of it.</param>
/// <param name="FileSystem">The type of its file system.</param>
internal sealed record SourceFolder(string Path, FolderExtent Extent, string FileSystem);
