package main

import (
	"context"
	"fmt"
	"path/filepath"

	"gocloud.dev/blob"

	"qingfu/photos"
)

// photoSettings say where photos are kept.
type photoSettings struct {
	PhotosURL string `name:"photos-url" env:"QINGFU_PHOTOS_URL" placeholder:"URL" help:"Where photos are kept: s3://BUCKET?region=REGION or file:///FOLDER. By default the folder photos in the data folder."`
}

// check refuses an address that cannot be meant.
func (s *photoSettings) check() error {
	if s.PhotosURL == "" {
		return nil
	}
	if err := photos.CheckURL(s.PhotosURL); err != nil {
		return fmt.Errorf("QINGFU_PHOTOS_URL: %w", err)
	}
	return nil
}

// open opens where photos are kept. The caller closes it.
func (s *photoSettings) open(ctx context.Context, dataDir string) (*blob.Bucket, error) {
	if s.PhotosURL == "" {
		bucket, err := photos.OpenFolder(filepath.Join(dataDir, "photos"))
		if err != nil {
			return nil, fmt.Errorf("folder of photos: %w", err)
		}
		return bucket, nil
	}
	bucket, err := photos.OpenURL(ctx, s.PhotosURL)
	if err != nil {
		return nil, fmt.Errorf("QINGFU_PHOTOS_URL: %w", err)
	}
	return bucket, nil
}
