namespace MinimalApi.Infrastructure;

/// <summary>Where the application keeps its files: the setting <c>DataFolder</c>, relative to the content root.</summary>
internal sealed class DataFolder(IConfiguration configuration, IHostEnvironment environment)
{
    private readonly DirectoryInfo _root =
        Directory.CreateDirectory(Path.Combine(environment.ContentRootPath, configuration["DataFolder"] ?? "App_Data"));

    public string PathOf(string fileName) => Path.Combine(_root.FullName, fileName);

    public DirectoryInfo CreateSubfolder(string name) => _root.CreateSubdirectory(name);
}
